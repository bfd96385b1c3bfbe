ALTER TABLE timeline DROP COLUMN heard;
