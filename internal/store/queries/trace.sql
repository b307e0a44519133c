-- The life of messages. Parameters: a queue id; the keyed hash of an address
-- or message-id, as text.
WITH wanted AS (
  SELECT id FROM message WHERE queue_id = $1 OR message_id = $2::UBIGINT OR sender = $2::UBIGINT
  UNION
  SELECT message FROM event WHERE recipient = $2::UBIGINT
)
SELECT m.id, m.queue_id, coalesce(o.host, ''), m.ts * 1000000, coalesce(o.domain, ''), m.bounce,
  e.ts * 1000000 + e.us, e.kind, e.status, e.attempted, e.first, d.domain, r.receiver, e.origin,
  coalesce(t.code, 0), coalesce(t.sample, ''), coalesce(t.reason, ''), e.recipient
FROM message m JOIN event e ON e.message = m.id
  JOIN domain d ON d.id = e.domain JOIN receiver r ON r.id = e.receiver
  LEFT JOIN origin o ON o.id = m.origin
  LEFT JOIN template t ON t.id = e.template
WHERE m.id IN (SELECT id FROM wanted)
ORDER BY m.ts, m.id, e.ts, e.us, e.line
LIMIT 2000
