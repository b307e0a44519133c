-- Mails that were composed, and what became of them; see docs/mail.md.
CREATE TABLE outbox (
  id VARCHAR, period VARCHAR, sender VARCHAR, recipient VARCHAR, state VARCHAR, tries INTEGER, unsure INTEGER,
  queued BIGINT, next BIGINT,             -- Unix microseconds
  last_error VARCHAR, body BLOB           -- empty once it was sent
);
