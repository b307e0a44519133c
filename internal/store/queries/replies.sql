-- What receivers answered, by origin, receiver and reply. Parameters: from and
-- to (Unix seconds).
SELECT r.origin, r.receiver, r.template, t.code, t.enhanced, t.stage, t.failure, t.sample, t.reason, t.rule, r.class,
  sum(r.first)::BIGINT, sum(r.attempts)::BIGINT, min(r.first_ts) * 1000000, max(r.last_ts) * 1000000
FROM reply_hour r JOIN template t ON t.id = r.template
WHERE r.hour >= ? AND r.hour < ?
GROUP BY ALL
ORDER BY 12 DESC, r.origin, r.receiver, r.template
