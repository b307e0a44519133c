-- ranges of a stream overlap or leave a gap
SELECT format('stream {} ({}) at byte {}', a.stream, any_value(s.path), a.from_byte)
FROM (SELECT *, lag(to_byte, 1, 0) OVER (PARTITION BY stream ORDER BY from_byte, to_byte) AS before FROM audit) a
LEFT JOIN stream s ON s.id = a.stream
WHERE a.from_byte <> a.before GROUP BY a.stream, a.from_byte ORDER BY ALL LIMIT 20;
-- a stream's position is not where its last range ends
SELECT format('{}: {} and {}', s.path, s.bytes, coalesce(max(a.to_byte), 0)) FROM stream s LEFT JOIN audit a ON a.stream = s.id
GROUP BY s.id, s.path, s.bytes HAVING s.bytes <> coalesce(max(a.to_byte), 0) ORDER BY ALL LIMIT 20;
-- lines of a stream and of its ranges differ
SELECT format('{}: {} and {}', s.path, s.lines, coalesce(sum(a.lines), 0)) FROM stream s LEFT JOIN audit a ON a.stream = s.id
GROUP BY s.id, s.path, s.lines HAVING s.lines <> coalesce(sum(a.lines), 0) ORDER BY ALL LIMIT 20;
-- a stream is there twice
SELECT format('{}', any_value(path)) FROM stream GROUP BY id HAVING count(*) > 1 LIMIT 20;
-- events that were committed and are not there
SELECT format('stream {}: {} of {}', a.stream, coalesce(e.n, 0), a.n)
FROM (SELECT stream, sum(events) AS n FROM audit GROUP BY stream) a
LEFT JOIN (SELECT stream, count(*) AS n FROM event GROUP BY stream) e ON e.stream = a.stream
WHERE coalesce(e.n, 0) <> a.n AND NOT EXISTS (SELECT 1 FROM meta WHERE key = 'pruned') ORDER BY ALL LIMIT 20;
-- events refer to what is not there
SELECT format('{} {}', kind, id) FROM (
  SELECT DISTINCT 'origin' AS kind, origin AS id FROM event WHERE origin NOT IN (SELECT id FROM origin)
  UNION ALL SELECT DISTINCT 'receiver', receiver FROM event WHERE receiver NOT IN (SELECT id FROM receiver)
  UNION ALL SELECT DISTINCT 'domain', domain FROM event WHERE domain NOT IN (SELECT id FROM domain)
  UNION ALL SELECT DISTINCT 'template', template FROM event WHERE template > 0 AND template NOT IN (SELECT id FROM template)
) ORDER BY ALL LIMIT 20;
-- evidence adds up to less than nothing
SELECT format('hour {} origin {} receiver {}', hour, origin, receiver) FROM evidence GROUP BY hour, origin, receiver
HAVING least(sum(accepted), sum(defer_policy), sum(defer_slow), sum(defer_quick), sum(reject_policy), sum(attempts)) < 0 ORDER BY ALL LIMIT 20;
