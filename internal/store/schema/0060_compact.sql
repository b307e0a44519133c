-- Fewer bytes and fewer rows a line; rollups from which a report can be made
-- when the events are gone. Hashes of addresses and ids are 40 bits wide from
-- here on.

CREATE TABLE message_2 (
  id BIGINT, queue_id VARCHAR, origin INTEGER,
  ts BIGINT,                              -- of its first line, Unix seconds
  message_id UBIGINT, sender UBIGINT, bounce BOOLEAN
);
INSERT INTO message_2
  SELECT m.id, m.queue_id, coalesce(o.origin, 0), m.ts // 1000000, m.message_id >> 24, m.sender >> 24, m.bounce
  FROM message m LEFT JOIN (SELECT message, min(origin) AS origin FROM event GROUP BY message) o ON o.message = m.id
  ORDER BY m.id;
DROP TABLE message;
ALTER TABLE message_2 RENAME TO message;

CREATE TABLE evidence_hour (
  hour BIGINT,                            -- Unix seconds of its start
  origin INTEGER, receiver INTEGER,
  what UTINYINT,                          -- outcome.id
  n INTEGER                               -- less than 0 in a correction
);
CREATE TABLE evidence_day (
  day BIGINT,                             -- Unix seconds of its noon, UTC
  origin INTEGER, receiver INTEGER, domain INTEGER, what UTINYINT, n INTEGER
);
CREATE TABLE reply_hour (
  hour BIGINT, origin INTEGER, receiver INTEGER, template INTEGER, class UTINYINT,
  first INTEGER, attempts INTEGER,
  first_ts BIGINT, last_ts BIGINT         -- Unix seconds
);
INSERT INTO reply_hour
  SELECT ts // 3600000000 * 3600, origin, receiver, template, class, count(*) FILTER (first), count(*), min(ts) // 1000000, max(ts) // 1000000
  FROM event WHERE attempted AND status <> 1 AND NOT bounce AND template > 0 AND kind = 2 GROUP BY ALL;

-- What the rows of evidence count.
CREATE TABLE outcome (id UTINYINT, outcome VARCHAR);
INSERT INTO outcome VALUES (0, 'accepted'), (1, 'defer_policy'), (2, 'defer_slow'), (3, 'defer_quick'), (4, 'reject_policy'),
  (5, 'reject_generic'), (6, 'listed'), (7, 'content'), (8, 'unknown_user'), (9, 'mailbox_full'), (10, 'connection'),
  (11, 'greylisted'), (12, 'throttled'), (13, 'config'), (14, 'other'), (15, 'again');

CREATE TABLE event_2 (
  ts BIGINT, us INTEGER,                  -- Unix seconds, and microseconds of the second
  message BIGINT, origin INTEGER, receiver INTEGER, domain INTEGER, recipient UBIGINT,
  template INTEGER,                       -- 0: no reply to speak of
  kind UTINYINT, status UTINYINT, class UTINYINT,
  attempted BOOLEAN, first BOOLEAN, bounce BOOLEAN,
  queue_t UTINYINT, conn_t UTINYINT, xmit_t UTINYINT, -- 0: unknown, else about 2^((t-1)/8 - 10) seconds
  stream INTEGER, line BIGINT
);
INSERT INTO event_2
  SELECT ts // 1000000, (ts % 1000000)::INTEGER, message, origin, receiver, domain, recipient >> 24, template, kind, status, class,
    attempted, first, bounce,
    CASE WHEN queue_ms < 0 THEN 0 ELSE least(255, 1 + greatest(0, round(8 * (log2(greatest(queue_ms, 1) / 1000) + 10)))) END::UTINYINT,
    CASE WHEN conn_ms < 0 THEN 0 ELSE least(255, 1 + greatest(0, round(8 * (log2(greatest(conn_ms, 1) / 1000) + 10)))) END::UTINYINT,
    CASE WHEN xmit_ms < 0 THEN 0 ELSE least(255, 1 + greatest(0, round(8 * (log2(greatest(xmit_ms, 1) / 1000) + 10)))) END::UTINYINT,
    stream, line
  FROM event;
DROP TABLE event;
ALTER TABLE event_2 RENAME TO event;

CREATE TABLE evidence_long AS
  UNPIVOT (SELECT hour, origin, receiver, domain, accepted AS "0", defer_policy AS "1", defer_slow AS "2", defer_quick AS "3",
    reject_policy AS "4", reject_generic AS "5", listed AS "6", content AS "7", unknown_user AS "8", mailbox_full AS "9",
    connection AS "10", greylisted AS "11", throttled AS "12", config AS "13", other AS "14",
    attempts - accepted - defer_policy - defer_slow - defer_quick - reject_policy - reject_generic - content - unknown_user
      - mailbox_full - connection - greylisted - throttled - config - other AS "15" FROM evidence)
  ON COLUMNS(* EXCLUDE (hour, origin, receiver, domain)) INTO NAME what VALUE n;
INSERT INTO evidence_hour SELECT hour, origin, receiver, what::UTINYINT, sum(n)::INTEGER FROM evidence_long WHERE n <> 0 GROUP BY ALL;
INSERT INTO evidence_day SELECT hour // 86400 * 86400 + 43200, origin, receiver, domain, what::UTINYINT, sum(n)::INTEGER
  FROM evidence_long WHERE n <> 0 GROUP BY ALL;
DROP TABLE evidence_long;
DROP TABLE evidence;

-- The rows of evidence as one row a cell. attempts are all, retries too.
CREATE VIEW evidence AS
  SELECT hour, origin, receiver, 0 AS domain,
    coalesce(sum(n) FILTER (what = 0), 0) AS accepted, coalesce(sum(n) FILTER (what = 1), 0) AS defer_policy,
    coalesce(sum(n) FILTER (what = 2), 0) AS defer_slow, coalesce(sum(n) FILTER (what = 3), 0) AS defer_quick,
    coalesce(sum(n) FILTER (what = 4), 0) AS reject_policy, coalesce(sum(n) FILTER (what = 5), 0) AS reject_generic,
    coalesce(sum(n) FILTER (what = 6), 0) AS listed, coalesce(sum(n) FILTER (what = 7), 0) AS content,
    coalesce(sum(n) FILTER (what = 8), 0) AS unknown_user, coalesce(sum(n) FILTER (what = 9), 0) AS mailbox_full,
    coalesce(sum(n) FILTER (what = 10), 0) AS connection, coalesce(sum(n) FILTER (what = 11), 0) AS greylisted,
    coalesce(sum(n) FILTER (what = 12), 0) AS throttled, coalesce(sum(n) FILTER (what = 13), 0) AS config,
    coalesce(sum(n) FILTER (what = 14), 0) AS other, coalesce(sum(n) FILTER (what <> 6), 0) AS attempts
  FROM evidence_hour GROUP BY hour, origin, receiver;
CREATE VIEW evidence_by_domain AS
  SELECT day AS hour, origin, receiver, domain,
    coalesce(sum(n) FILTER (what = 0), 0) AS accepted, coalesce(sum(n) FILTER (what = 1), 0) AS defer_policy,
    coalesce(sum(n) FILTER (what = 2), 0) AS defer_slow, coalesce(sum(n) FILTER (what = 3), 0) AS defer_quick,
    coalesce(sum(n) FILTER (what = 4), 0) AS reject_policy, coalesce(sum(n) FILTER (what = 5), 0) AS reject_generic,
    coalesce(sum(n) FILTER (what = 6), 0) AS listed, coalesce(sum(n) FILTER (what = 7), 0) AS content,
    coalesce(sum(n) FILTER (what = 8), 0) AS unknown_user, coalesce(sum(n) FILTER (what = 9), 0) AS mailbox_full,
    coalesce(sum(n) FILTER (what = 10), 0) AS connection, coalesce(sum(n) FILTER (what = 11), 0) AS greylisted,
    coalesce(sum(n) FILTER (what = 12), 0) AS throttled, coalesce(sum(n) FILTER (what = 13), 0) AS config,
    coalesce(sum(n) FILTER (what = 14), 0) AS other, coalesce(sum(n) FILTER (what <> 6), 0) AS attempts
  FROM evidence_day GROUP BY day, origin, receiver, domain;

DELETE FROM open_state; -- in the form of before
