-- How long accepted mail took from our queue to the receiver's answer, counted
-- in steps of a sixteenth of a power of two of milliseconds, so that counts of
-- several origins add up. Parameters: the period's start, the start of the time
-- it is compared with, the period's end (Unix microseconds).
SELECT origin, receiver, ts < ? AS before,
  floor(16 * log2(greatest(1, queue_ms + greatest(conn_ms, 0) + greatest(xmit_ms, 0))))::INTEGER AS step, count(*)
FROM event
WHERE ts >= ? AND ts < ? AND status = 1 AND attempted AND NOT bounce AND queue_ms >= 0
GROUP BY ALL
ORDER BY ALL
