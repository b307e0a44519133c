-- $events attempts of $days days by $origins sending IPs at $receivers
-- receivers, of which few get most; 94 in 100 are accepted, and each receiver
-- has its own way to turn the rest away. The rollup is in the order that batches of 122,880 have.
INSERT INTO event
SELECT $start + i * $days * 86400 // $events, (i % 1000000)::INTEGER, i, (hash(i) % $origins + 1)::INTEGER,
  receiver, 1, hash(i) >> 24, 1, 2, 1 + refused, 1 + refused * (1 + receiver % 5),
  true, hash(i + 4) % 10 > 0, false, 40, 60, 60, 1, i,
  printf('%010X', i), hash(i + 5) >> 24, hash(i + 6) >> 24
FROM (
  SELECT i, least($receivers, 1 + floor(pow($receivers, (hash(i + 1) % 1000003)::DOUBLE / 1000003)))::INTEGER AS receiver,
    (hash(i + 2) % 100 >= 94)::INTEGER AS refused
  FROM range($events) r(i)
);
INSERT INTO evidence_hour
SELECT hour, origin, receiver, what, n
FROM (
  SELECT line // 122880 AS batch, ts // 3600 * 3600 AS hour, origin, receiver, CASE WHEN first THEN class - 1 ELSE 15 END AS what, count(*) AS n
  FROM event GROUP BY ALL
)
ORDER BY batch, hour, origin, receiver, what;
CHECKPOINT;
