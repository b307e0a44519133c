-- Hourly counts, corrections added up. Parameters: from and to (Unix seconds).
SELECT hour, origin, receiver, domain,
  accepted, defer_policy, defer_slow, defer_quick, reject_policy, reject_generic, listed, content,
  unknown_user, mailbox_full, connection, greylisted, throttled, config, other, attempts
FROM evidence
WHERE hour >= ? AND hour < ?
ORDER BY hour, origin, receiver, domain
