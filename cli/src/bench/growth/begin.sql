-- What the two other files count with: a row for each order, product and user to come. prost.grown says how many.

-- Foreign keys hold by construction; asking for each row would take longer than writing it.
SET session_replication_role = replica;
SET maintenance_work_mem = '512MB';
SET synchronous_commit = off;

-- Spread over the last year, the latest yesterday. head and tail make ids that look like UUIDv7 of that time, so that
-- indexes grow at their right edge as they do in life; carts are random.
CREATE TEMPORARY TABLE grown AS
    SELECT n, at, lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' AS head,
        '8' || lpad(to_hex(n), 15, '0') AS tail, md5('cart ' || n)::uuid AS cart
    FROM (SELECT n, now() - interval '1 day' - (size - n) * (interval '365 days' / size) AS at
          FROM (SELECT current_setting('prost.grown')::bigint) AS wanted (size), generate_series(1, size) AS n) AS times;
ANALYZE grown;

-- The id of the thing of this kind (three hexadecimal digits) that belongs to a row.
CREATE FUNCTION pg_temp.id(kind text, grown) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT ($2.head || $1 || $2.tail)::uuid
$$;
