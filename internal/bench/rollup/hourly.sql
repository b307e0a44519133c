-- What evidence_hour.sql tells: first outcomes by hour, IP and receiver.
SELECT hour, (origin::BIGINT << 32) + receiver AS who, what::BIGINT AS what, n
FROM (SELECT hour, origin, receiver, what, sum(n)::BIGINT AS n FROM evidence_hour WHERE what <> 15 GROUP BY ALL)
