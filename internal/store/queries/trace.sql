-- The life of messages. Parameters: a queue id; the keyed hash of an address
-- or message-id, as text.
WITH wanted AS (
  SELECT DISTINCT message FROM event
  WHERE queue_id = $1 OR message_id = $2::UBIGINT OR sender = $2::UBIGINT OR recipient = $2::UBIGINT
), life AS (
  SELECT message, arg_min(ts * 1000000 + us - (1e6 * (
    if(queue_t > 0, pow(2, (queue_t - 1) / 8 - 10), 0) + if(conn_t > 0, pow(2, (conn_t - 1) / 8 - 10), 0) +
    if(xmit_t > 0, pow(2, (xmit_t - 1) / 8 - 10), 0)))::BIGINT, (ts, us, line)) AS arrived
  FROM event WHERE message IN (SELECT message FROM wanted) GROUP BY message
)
SELECT e.message, e.queue_id, coalesce(o.host, ''), life.arrived, coalesce(o.domain, ''), e.bounce,
  e.ts * 1000000 + e.us, e.kind, e.status, e.attempted, e.first, d.domain, r.receiver, e.origin,
  coalesce(t.code, 0), coalesce(t.sample, ''), coalesce(t.reason, ''), e.recipient
FROM life JOIN event e ON e.message = life.message
  JOIN domain d ON d.id = e.domain JOIN receiver r ON r.id = e.receiver
  LEFT JOIN origin o ON o.id = e.origin
  LEFT JOIN template t ON t.id = e.template
ORDER BY life.arrived, e.message, e.ts, e.us, e.line
LIMIT 2000
