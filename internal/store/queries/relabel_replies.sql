-- The rollup of the replies that moved is made again, of the hours whose events
-- are all there.
CREATE TEMP TABLE relabel_since AS SELECT coalesce(min(ts) // 3600 * 3600 + 3600 * (EXISTS (FROM meta WHERE key = 'pruned'))::INTEGER, 0) AS hour FROM event;
CREATE TEMP TABLE relabel_replies AS SELECT template FROM relabel_move UNION SELECT new_template FROM relabel_move;
DELETE FROM reply_hour WHERE template IN (SELECT template FROM relabel_replies) AND hour >= (SELECT hour FROM relabel_since);
INSERT INTO reply_hour
  SELECT ts // 3600 * 3600, origin, receiver, template, class, count(*) FILTER (first), count(*), min(ts), max(ts)
  FROM event
  WHERE template IN (SELECT template FROM relabel_replies) AND ts >= (SELECT hour FROM relabel_since)
    AND attempted AND status <> 1 AND NOT bounce AND kind = 2
  GROUP BY ALL
