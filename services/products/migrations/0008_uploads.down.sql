-- What was uploaded stays, unpruned; it costs nothing but its place.
DROP INDEX pictures_uploads;
ALTER TABLE pictures DROP COLUMN used_at, DROP COLUMN uploaded_by, DROP COLUMN size;
