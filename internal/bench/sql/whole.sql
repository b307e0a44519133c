-- What the lines say elsewhere: who sent a message, and when it came.
CREATE TABLE message AS
SELECT f.queue_id, any_value(f.sender) AS sender, min(ts) AS ts
FROM (
  SELECT strptime('2026 ' || line[1:15], '%Y %b %d %H:%M:%S') AS ts,
    regexp_extract(line, '^.{15} [^ ]+ [^\[]+\[[0-9]+\]: ([0-9A-Za-z]+): from=<([^>]*)>', ['queue_id', 'sender']) AS f
  FROM read_csv($log, columns = {'line': 'VARCHAR'}, delim = '\x01', quote = '', escape = '', header = false, auto_detect = false)
  WHERE contains(line, ' (queue active)')
) GROUP BY f.queue_id;

-- Replies with what differs masked, and attempts that refer to them.
CREATE TABLE masked AS
SELECT rowid AS event, regexp_replace(reply, '<[^>]*>|\b[0-9a-fA-F.:-]{6,}\b|[0-9]+', '#', 'g') AS text, reply FROM event;
CREATE TABLE template AS
SELECT row_number() OVER () AS id, text, any_value(reply) AS sample, count(*) AS n FROM masked GROUP BY text;
CREATE TABLE attempt AS
SELECT e.ts, e.host, e.tag, e.queue_id, hash(e.recipient) AS recipient, split_part(e.recipient, '@', 2) AS domain, e.relay, e.relay_ip,
  e.a, e.b, e.c, e.d, e.dsn, e.status, t.id AS template, split_part(m.sender, '@', 2) AS sender,
  row_number() OVER (PARTITION BY e.queue_id, e.recipient ORDER BY e.ts) AS nth
FROM event e JOIN masked k ON k.event = e.rowid JOIN template t ON t.text = k.text LEFT JOIN message m ON m.queue_id = e.queue_id;
DROP TABLE masked;
DROP TABLE event;

-- First outcomes by hour, tag, sender's domain and relay; by day and domain.
CREATE TABLE evidence_hour AS
SELECT date_trunc('hour', ts) AS hour, tag, sender, relay, status, count(*) AS n FROM attempt WHERE nth = 1 GROUP BY ALL;
CREATE TABLE evidence_day AS
SELECT date_trunc('day', ts) AS day, tag, sender, relay, domain, status, count(*) AS n FROM attempt WHERE nth = 1 GROUP BY ALL;
CREATE VIEW event AS FROM attempt;
