-- Where systemd's journal has been read to, in its own words; '' for files.
ALTER TABLE stream ADD COLUMN cursor VARCHAR DEFAULT '';
