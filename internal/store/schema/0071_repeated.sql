-- Outcomes that another stream has told of before.
ALTER TABLE stream ADD COLUMN repeated BIGINT DEFAULT 0;
