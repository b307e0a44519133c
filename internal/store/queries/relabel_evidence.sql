-- First outcomes that the moves book otherwise, by hour. "quick": the first
-- retry was accepted, which makes a slow deferral a quick one. Parameters: the
-- class of slow deferrals, the status of accepted mail.
WITH moved AS (
  SELECT e.*, m.class AS was, m.new_class, m.was_listed, m.is_listed
  FROM event e JOIN relabel_move m
    ON e.template = m.template AND e.receiver = m.receiver AND e.status = m.status AND e.class = m.class
  WHERE e.attempted AND e.first
), retry AS (
  SELECT message, recipient, status = $2 AS quick
  FROM event e
  WHERE attempted AND message IN (SELECT message FROM moved WHERE was = $1 OR new_class = $1)
  QUALIFY row_number() OVER (PARTITION BY message, recipient ORDER BY ts, us, first DESC, line) = 2
)
SELECT f.ts // 3600 * 3600 AS hour, f.origin, f.receiver, f.domain, f.was, f.new_class, f.was_listed, f.is_listed,
  coalesce(r.quick, false) AS quick, count(*)::UINTEGER
FROM moved f LEFT JOIN retry r ON r.message = f.message AND r.recipient = f.recipient
GROUP BY ALL
ORDER BY ALL
