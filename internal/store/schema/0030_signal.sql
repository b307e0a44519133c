-- What outside sources say: complaints, seeds, tiers, public scores. What is
-- imported again has the same key and takes the earlier row's place.
CREATE TABLE signal (
  key VARCHAR, kind VARCHAR, day BIGINT,  -- Unix seconds of the day's start, UTC
  ip VARCHAR, origin INTEGER,             -- origin: of the message it speaks of, 0 if that is not known
  receiver VARCHAR, sender_domain VARCHAR,
  n BIGINT, k BIGINT, value DOUBLE, verified BOOLEAN,
  source VARCHAR, detail VARCHAR,
  message BIGINT                          -- 0: about an address and a day, or not found
);
