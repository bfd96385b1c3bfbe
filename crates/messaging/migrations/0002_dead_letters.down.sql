DROP FUNCTION dead_letters_of(text, text, timestamptz, timestamptz, uuid, integer);
DROP FUNCTION dead_letters_named(text, uuid[]);
DROP FUNCTION replay_dead_letters(text, text, uuid[]);
DROP FUNCTION discard_dead_letters(text, uuid[]);
DROP INDEX dead_letters_place;
ALTER TABLE dead_letters DROP COLUMN letter_id;
CREATE INDEX dead_letters_queue ON dead_letters (queue_id, id);
