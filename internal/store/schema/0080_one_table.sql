-- What the log says of a message stands with each of its outcomes. A table of
-- its own had nearly as many rows, and cost as much again: few messages have
-- several outcomes.
CREATE TABLE event_3 (
  ts BIGINT, us INTEGER,                  -- Unix seconds, and microseconds of the second
  message BIGINT, origin INTEGER, receiver INTEGER, domain INTEGER, recipient UBIGINT,
  template INTEGER,                       -- 0: no reply to speak of
  kind UTINYINT, status UTINYINT, class UTINYINT,
  attempted BOOLEAN, first BOOLEAN, bounce BOOLEAN,
  queue_t UTINYINT, conn_t UTINYINT, xmit_t UTINYINT, -- 0: unknown, else about 2^((t-1)/8 - 10) seconds
  stream INTEGER, line BIGINT,
  queue_id VARCHAR,
  message_id UBIGINT, sender UBIGINT      -- keyed hashes; 0: not known
);
INSERT INTO event_3
  SELECT e.*, coalesce(m.queue_id, ''), coalesce(m.message_id, 0), coalesce(m.sender, 0)
  FROM event e LEFT JOIN message m ON m.id = e.message
  ORDER BY e.stream, e.line;
DROP TABLE event;
ALTER TABLE event_3 RENAME TO event;
DROP TABLE message;

-- A message's row, for questions about messages; ts is of its first outcome.
CREATE VIEW message AS
  SELECT message AS id, any_value(queue_id) AS queue_id, min(origin) AS origin, min(ts) AS ts,
    max(message_id) AS message_id, max(sender) AS sender, bool_or(bounce) AS bounce
  FROM event GROUP BY message;
