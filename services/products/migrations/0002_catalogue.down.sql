DROP TABLE pictures;
DROP TABLE products;
DROP TABLE categories;
-- pg_trgm stays: it holds no data, and others in this database may use it by now.
