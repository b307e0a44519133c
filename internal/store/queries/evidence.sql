-- Hourly counts, corrections added up. Parameters: from and to (Unix seconds).
SELECT hour, origin, receiver, domain,
  sum(accepted), sum(defer_policy), sum(defer_slow), sum(defer_quick), sum(reject_policy), sum(reject_generic),
  sum(listed), sum(content), sum(unknown_user), sum(mailbox_full), sum(connection), sum(greylisted),
  sum(throttled), sum(config), sum(other), sum(attempts)
FROM evidence
WHERE hour >= ? AND hour < ?
GROUP BY ALL
ORDER BY hour, origin, receiver, domain
