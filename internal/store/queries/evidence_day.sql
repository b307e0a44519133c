-- Daily counts by recipient domain, as evidence_hour.sql. Parameters: from and
-- to (Unix seconds).
SELECT day, (origin::BIGINT << 32) + receiver AS who, domain::BIGINT AS domain, what::BIGINT AS what, sum(n)::BIGINT
FROM evidence_day
WHERE day >= ? AND day < ?
GROUP BY ALL
ORDER BY ALL
