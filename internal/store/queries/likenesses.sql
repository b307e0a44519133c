-- Attempts of a host in an hour, alike ones counted. Parameters: the host, the
-- stream that is left out, the hour's start and end (Unix seconds).
SELECT e.queue_id, e.ts, e.recipient, e.status, e.queue_t, e.conn_t, e.xmit_t, count(*)
FROM event e JOIN origin o ON o.id = e.origin
WHERE o.host = ? AND e.stream <> ? AND e.ts >= ? AND e.ts < ? AND e.kind IN (2, 4)
GROUP BY ALL
