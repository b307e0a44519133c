-- Two numbers about all counts of an hour: they differ where a count does.
SELECT hour, sum((hash(origin, receiver, what) % 1000000007)::BIGINT * n)::BIGINT, sum(n)::BIGINT
FROM evidence_hour
GROUP BY hour
ORDER BY hour
