-- The model's state at the end of some days, so that a report need not begin
-- with the first evidence. Rows that fit no more are of no harm: basis tells.
CREATE TABLE model_state (
  next BIGINT,                            -- Unix seconds of the start of the day after
  layout VARCHAR,                         -- of the model's state and configuration
  basis VARCHAR,                          -- of all that the state was made from
  state BLOB                              -- zstd
);
