-- Hourly counts as they are stored, corrections added up. Few columns and few
-- rows: a cell seldom has more than two kinds of outcomes, and each column of
-- each row costs. Parameters: from and to (Unix seconds).
SELECT hour, (origin::BIGINT << 32) + receiver AS who, 0::BIGINT AS domain, what::BIGINT AS what, n
FROM (SELECT hour, origin, receiver, what, sum(n)::BIGINT AS n FROM evidence_hour WHERE hour >= ? AND hour < ? GROUP BY ALL)
ORDER BY ALL
