-- A product (in both schemas) and a user for each row of `grown`.

-- Built once it is full, an inverted index costs a fraction of what it costs row by row.
CREATE TEMPORARY TABLE rebuilt AS
    SELECT indexname AS name, indexdef AS definition FROM pg_indexes
    WHERE schemaname = 'catalog' AND tablename = 'products' AND indexdef LIKE '%USING gin%';
DO $$
DECLARE
    name text;
BEGIN
    FOR name IN SELECT rebuilt.name FROM rebuilt LOOP
        EXECUTE format('DROP INDEX catalog.%I', name);
    END LOOP;
END $$;

INSERT INTO catalog.categories (id, name)
    SELECT ('00000000-0000-7001-8000-' || lpad(n::text, 12, '0'))::uuid, 'Grown category ' || n
    FROM generate_series(0, 49) n;

INSERT INTO catalog.products (id, name, sku, price, currency, description, stock_quantity, category_id, created_at, updated_at)
    SELECT pg_temp.id('002', g),
        (ARRAY['Dark', 'Green', 'Golden', 'Quiet', 'Bold', 'Late'])[n % 6 + 1] || ' '
            || (ARRAY['Espresso', 'Riesling', 'Lemonade', 'Porter', 'Tea', 'Cider', 'Kombucha'])[n % 7 + 1] || ' ' || n,
        'GROWN-' || n, n % 900 + 1, 'EUR', 'Picked by hand in valley ' || n % 1000, 1000000,
        ('00000000-0000-7001-8000-' || lpad((n % 50)::text, 12, '0'))::uuid, at, at
    FROM grown g;

-- One of each is sold, by orders.sql.
INSERT INTO catalog.inventory_history (id, product_id, change, stock_quantity, reason, actor, created_at)
    SELECT pg_temp.id('003', g), pg_temp.id('002', g), 1000001, 1000001, 'first delivery', 'bench', at FROM grown g;

INSERT INTO cart.products (product_id, name, sku, price, currency, version)
    SELECT id, name, sku, price, currency, version FROM catalog.products WHERE sku LIKE 'GROWN-%';

DO $$
DECLARE
    definition text;
BEGIN
    FOR definition IN SELECT rebuilt.definition FROM rebuilt LOOP
        EXECUTE definition;
    END LOOP;
END $$;

-- One shared hash, and of no password: tokens are signed for those who shop.
INSERT INTO users.users (id, email, username, password_hash, created_at, updated_at)
    SELECT pg_temp.id('004', g), 'grown-' || n || '@prost.example', 'grown-' || n,
        '$2b$10$abcdefghijklmnopqrstuuAk5u2PzAqKGGgXbCkpQb4uLkb3nGg9K', at, at
    FROM grown g;

-- A session for each.
INSERT INTO users.refresh_tokens (token_hash, session_id, user_id, created_at, expires_at)
    SELECT sha256(int8send(n)), pg_temp.id('00f', g), pg_temp.id('004', g), now(), now() + interval '30 days' FROM grown g;
