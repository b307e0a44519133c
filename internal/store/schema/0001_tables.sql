-- What the log said, as ids into dictionaries; see docs/schema.md.
-- No primary keys and no indexes: a transaction's exactly-once comes from the
-- position that commits with it.

CREATE TABLE meta (key VARCHAR, value VARCHAR);

-- A stream of lines that has been read, up to "bytes" of its text.
CREATE TABLE stream (
  id INTEGER, path VARCHAR, format VARCHAR,
  head_len INTEGER, head_hash BLOB,      -- of the text's start: tells it again under another name
  bytes BIGINT, tail_hash BLOB,          -- of the 1 KiB before: proves that it is the text that was read
  lines BIGINT, events BIGINT, attempts BIGINT, irrelevant BIGINT, not_understood BIGINT,
  oversize BIGINT, truncated BIGINT, first_at BIGINT, last_at BIGINT
);
CREATE TABLE sample (stream INTEGER, kind VARCHAR, line BIGINT, text VARCHAR);

-- Each batch's range of a stream: the ranges tile [0, bytes).
CREATE TABLE audit (stream INTEGER, from_byte BIGINT, to_byte BIGINT, lines BIGINT, events BIGINT);

CREATE TABLE origin (id INTEGER, host VARCHAR, tag VARCHAR, transport VARCHAR, local_ip VARCHAR, domain VARCHAR);
CREATE TABLE receiver (id INTEGER, receiver VARCHAR);
CREATE TABLE domain (id INTEGER, domain VARCHAR);

-- A reply's text with what differs masked; verdicts are of one rules version.
CREATE TABLE template (
  id INTEGER, receiver INTEGER, code SMALLINT, enhanced VARCHAR, stage VARCHAR, failure VARCHAR,
  text VARCHAR, sample VARCHAR, reason VARCHAR, rule VARCHAR, about VARCHAR, permanent BOOLEAN, confidence FLOAT
);

CREATE TABLE message (
  id BIGINT, queue_id VARCHAR, host VARCHAR, ts BIGINT, sender_domain VARCHAR,
  message_id UBIGINT, sender UBIGINT, bounce BOOLEAN
);

CREATE TABLE event (
  ts BIGINT,                              -- Unix microseconds
  message BIGINT, origin INTEGER, receiver INTEGER, domain INTEGER, recipient UBIGINT,
  template INTEGER,                       -- 0: no reply to speak of
  kind UTINYINT, status UTINYINT, class UTINYINT,
  attempted BOOLEAN, first BOOLEAN, bounce BOOLEAN,
  queue_ms INTEGER, conn_ms INTEGER, xmit_ms INTEGER,
  stream INTEGER, line BIGINT
);

-- Hourly first outcomes, added up when read; a correction is one more row.
CREATE TABLE evidence (
  hour BIGINT, origin INTEGER, receiver INTEGER, domain INTEGER,
  accepted INTEGER, defer_policy INTEGER, defer_slow INTEGER, defer_quick INTEGER,
  reject_policy INTEGER, reject_generic INTEGER, listed INTEGER, content INTEGER,
  unknown_user INTEGER, mailbox_full INTEGER, connection INTEGER, greylisted INTEGER,
  throttled INTEGER, config INTEGER, other INTEGER, attempts INTEGER
);

-- Addresses of ours that receivers quoted when they turned mail away.
CREATE TABLE quote (origin INTEGER, ip VARCHAR, n BIGINT);

-- What the correlation must remember across files and restarts.
CREATE TABLE open_state (state BLOB);
