-- What stands for all counts before an hour, and the ids up to which they go.
-- Parameter: the hour (Unix seconds).
SELECT coalesce(sum(n), 0)::BIGINT, coalesce(sum((hash(hour, origin, receiver, what) % 1000000007)::BIGINT * n), 0)::BIGINT,
       coalesce(max(origin), 0)::INTEGER, coalesce(max(receiver), 0)::INTEGER
FROM evidence_hour
WHERE hour < ?
