-- Further pictures of a product, in order. Read with the product, so they lie in its row.
ALTER TABLE products ADD COLUMN images text[] NOT NULL DEFAULT '{}'
    CONSTRAINT products_images_count CHECK (cardinality(images) <= 8);
