-- The same from the events.
SELECT hour, (origin::BIGINT << 32) + receiver AS who, class::BIGINT - 1 AS what, n
FROM (SELECT ts // 3600 * 3600 AS hour, origin, receiver, class, count(*) AS n FROM event WHERE attempted AND first AND NOT bounce GROUP BY ALL)
