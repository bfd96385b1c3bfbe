-- Events carry the clocks of the services that published them, and clocks disagree: told by them, an answer may come
-- before its question. This is the order in which orders heard of them.
ALTER TABLE timeline ADD COLUMN heard bigint GENERATED ALWAYS AS IDENTITY;
COMMENT ON COLUMN timeline.heard IS 'not indexed: a timeline is read whole, by its order';
