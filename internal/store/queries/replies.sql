-- What receivers answered, by origin, receiver and reply. Parameters: from and
-- to (Unix microseconds).
SELECT e.origin, e.receiver, e.template, t.code, t.enhanced, t.stage, t.failure, t.sample, t.reason, t.rule, e.class,
  count(*) FILTER (WHERE e.first), count(*), min(e.ts), max(e.ts)
FROM event e JOIN template t ON t.id = e.template
WHERE e.ts >= ? AND e.ts < ? AND e.attempted AND e.status <> 1 AND NOT e.bounce
GROUP BY ALL
ORDER BY 12 DESC, e.origin, e.receiver, e.template
