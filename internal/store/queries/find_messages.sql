-- Deliveries of messages by their ids. The condition that is put in holds
-- numbers and plain words only.
SELECT e.message, e.queue_id, e.message_id, e.sender, e.ts * 1000000 + e.us, e.origin, r.receiver, d.domain, e.recipient, e.status
FROM event e
JOIN receiver r ON r.id = e.receiver
JOIN domain d ON d.id = e.domain
WHERE e.attempted AND ($where)
ORDER BY e.message, e.ts, e.us, e.recipient
