-- Categories, products and their pictures.

CREATE TABLE categories (
    id          uuid        NOT NULL PRIMARY KEY,
    name        text        NOT NULL CONSTRAINT categories_name_length CHECK (char_length(name) BETWEEN 1 AND 100),
    description text        CONSTRAINT categories_description_length CHECK (char_length(description) <= 2000),
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    deleted_at  timestamptz
);
-- Unique among the living, whatever the case; also the order of the list.
CREATE UNIQUE INDEX categories_name_living ON categories (lower(name)) WHERE deleted_at IS NULL;

CREATE TABLE products (
    id             uuid          NOT NULL PRIMARY KEY,
    name           text          NOT NULL CONSTRAINT products_name_length CHECK (char_length(name) BETWEEN 1 AND 200),
    description    text          CONSTRAINT products_description_length CHECK (char_length(description) <= 5000),
    sku            text          NOT NULL CONSTRAINT products_sku_length CHECK (char_length(sku) BETWEEN 1 AND 64),
    price          numeric(19,4) NOT NULL CONSTRAINT products_price_not_negative CHECK (price >= 0),
    currency       char(3)       NOT NULL,
    category_id    uuid          CONSTRAINT products_category REFERENCES categories (id),
    stock_quantity integer       NOT NULL CONSTRAINT products_stock_not_negative CHECK (stock_quantity >= 0),
    image_url      text          CONSTRAINT products_image_url_length CHECK (char_length(image_url) <= 2048),
    supplier_id    uuid,
    version        bigint        NOT NULL DEFAULT 1,
    created_at     timestamptz   NOT NULL DEFAULT now(),
    updated_at     timestamptz   NOT NULL DEFAULT now(),
    deleted_at     timestamptz,
    search         tsvector      GENERATED ALWAYS AS (
        setweight(to_tsvector('english'::regconfig, name), 'A')
        || setweight(to_tsvector('simple'::regconfig, sku), 'A')
        || setweight(to_tsvector('english'::regconfig, coalesce(description, '')), 'B')) STORED
) WITH (fillfactor = 70);
COMMENT ON COLUMN products.stock_quantity IS
    'What can be sold now, holds taken off. available + held + sold = received, the sum of inventory_history.change';
COMMENT ON COLUMN products.version IS 'Counted up by changes of the entry, not by stock moves';

-- A hold changes stock_quantity and nothing else. No index mentions that column, and pages have room
-- (fillfactor), so that the hot row is updated in place (HOT). Hence no index for the filter in_stock, which
-- always comes with an order that has one; none for supplier_id, which nobody searches by; none for
-- created_at, because the ids are time-ordered and the list is ordered by them.
CREATE UNIQUE INDEX products_sku_living ON products (sku) WHERE deleted_at IS NULL;
CREATE INDEX products_by_name ON products (name, id) WHERE deleted_at IS NULL;
CREATE INDEX products_by_price ON products (price, id) WHERE deleted_at IS NULL;
-- Not partial: it also serves the foreign key.
CREATE INDEX products_by_category ON products (category_id, name, id);
CREATE INDEX products_search ON products USING gin (search);

-- Finds parts of words. The extension is trusted, so the owner may make it; on a server that does not have it,
-- the same statements work by reading the table.
DO $$
DECLARE
    home text;
BEGIN
    BEGIN
        IF NOT EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm') THEN
            EXECUTE format('CREATE EXTENSION pg_trgm SCHEMA %I', current_schema());
        END IF;
    EXCEPTION WHEN insufficient_privilege OR undefined_file OR feature_not_supported THEN
        RAISE NOTICE 'pg_trgm is not available (%); search for parts of words reads the whole table', SQLERRM;
    END;
    SELECT n.nspname INTO home FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
    WHERE e.extname = 'pg_trgm';
    IF home IS NOT NULL THEN
        EXECUTE format('CREATE INDEX products_parts ON products USING gin (name %1$I.gin_trgm_ops, sku %1$I.gin_trgm_ops)',
            home);
    END IF;
END $$;

CREATE TABLE pictures (
    file         text        NOT NULL PRIMARY KEY CONSTRAINT pictures_file_name CHECK (file ~ '^[A-Za-z0-9._-]{1,200}$'),
    content_type text        NOT NULL,
    etag         text        NOT NULL,
    bytes        bytea       NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE pictures IS 'Served as /images/{file}';
-- Read whole and often: not worth unpacking each time.
ALTER TABLE pictures ALTER COLUMN bytes SET STORAGE EXTERNAL;
