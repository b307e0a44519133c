SELECT coalesce(sum(lines), 0), coalesce(sum(events), 0), coalesce(sum(attempts), 0), coalesce(sum(irrelevant), 0),
  coalesce(sum(not_understood), 0), (SELECT greatest(coalesce(max(message), 0), (SELECT coalesce(max(value::BIGINT), 0) FROM meta WHERE key = 'messages')) FROM event), coalesce(sum(bytes), 0),
  coalesce(min(first_at) FILTER (WHERE first_at > 0), 0), coalesce(max(last_at), 0)
FROM stream
