ALTER TABLE products DROP COLUMN images;
