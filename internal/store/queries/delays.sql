-- How long accepted mail took from our queue to the receiver's answer, counted
-- in steps of a sixteenth of a power of two of milliseconds, so that counts of
-- several origins add up. Parameters: the period's start, the start of the time
-- it is compared with, the period's end (Unix seconds).
SELECT origin, receiver, ts < ? AS before,
  floor(16 * log2(greatest(1, 1000 * (pow(2, (queue_t - 1) / 8 - 10) +
    CASE WHEN conn_t > 1 THEN pow(2, (conn_t - 1) / 8 - 10) ELSE 0 END +
    CASE WHEN xmit_t > 1 THEN pow(2, (xmit_t - 1) / 8 - 10) ELSE 0 END))))::INTEGER AS step, count(*)
FROM event
WHERE ts >= ? AND ts < ? AND status = 1 AND attempted AND NOT bounce AND queue_t > 0
GROUP BY ALL
ORDER BY ALL
