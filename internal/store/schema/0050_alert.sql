-- Alerts that were raised, one row for each way out, and what became of them; see docs/follow.md.
CREATE TABLE alert (
  id VARCHAR, rule VARCHAR, way VARCHAR, thing VARCHAR, state VARCHAR, tries INTEGER, doubtful BOOLEAN,
  noticed BIGINT, created BIGINT, next BIGINT,             -- Unix microseconds
  last_error VARCHAR, body VARCHAR                         -- JSON
);
