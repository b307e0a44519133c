-- What a Postfix log says of deliveries: one table.
CREATE TABLE event AS
SELECT strptime('2026 ' || line[1:15], '%Y %b %d %H:%M:%S') AS ts, f.host, f.tag, f.queue_id, f.recipient, f.relay, f.relay_ip,
  f.delay::FLOAT AS delay, f.a::FLOAT AS a, f.b::FLOAT AS b, f.c::FLOAT AS c, f.d::FLOAT AS d, f.dsn, f.status, f.reply
FROM (
  SELECT line, regexp_extract(line,
    '^.{15} ([^ ]+) ([^\[]+)\[[0-9]+\]: ([0-9A-Za-z]+): to=<([^>]*)>, relay=([^\[,]+)(?:\[([^\]]+)\]:[0-9]+)?, delay=([0-9.]+), delays=([0-9.]+)/([0-9.]+)/([0-9.]+)/([0-9.]+), dsn=([0-9.]+), status=([a-z]+) \((.*)\)$',
    ['host', 'tag', 'queue_id', 'recipient', 'relay', 'relay_ip', 'delay', 'a', 'b', 'c', 'd', 'dsn', 'status', 'reply']) AS f
  FROM read_csv($log, columns = {'line': 'VARCHAR'}, delim = '\x01', quote = '', escape = '', header = false, auto_detect = false)
  WHERE contains(line, ', status=')
);
