-- Deliveries of messages by their ids. The condition that is put in holds
-- numbers and plain words only.
WITH wanted AS (
  SELECT id, queue_id, message_id, sender FROM message
  WHERE $where
)
SELECT m.id, m.queue_id, m.message_id, m.sender, e.ts * 1000000 + e.us, e.origin, r.receiver, d.domain, e.recipient, e.status
FROM wanted m
JOIN event e ON e.message = m.id
JOIN receiver r ON r.id = e.receiver
JOIN domain d ON d.id = e.domain
WHERE e.attempted
ORDER BY m.id, e.ts, e.us, e.recipient
