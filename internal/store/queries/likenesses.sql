-- Attempts of a host in an hour, alike ones counted. Parameters: the host, the
-- stream that is left out, the hour's start and end (Unix seconds).
SELECT coalesce(m.queue_id, ''), e.ts, e.recipient, e.status, e.queue_t, e.conn_t, e.xmit_t, count(*)
FROM event e JOIN origin o ON o.id = e.origin LEFT JOIN message m ON m.id = e.message
WHERE o.host = ? AND e.stream <> ? AND e.ts >= ? AND e.ts < ? AND e.kind IN (2, 4)
GROUP BY ALL
