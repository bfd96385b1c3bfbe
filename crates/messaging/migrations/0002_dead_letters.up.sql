-- What operators do with dead letters. As with everything here, a service reaches those of its own queues only.

-- An id that means the same on every transport.
ALTER TABLE dead_letters ADD COLUMN letter_id uuid NOT NULL UNIQUE DEFAULT gen_random_uuid();
-- Oldest first, page by page; also serves the foreign key.
CREATE INDEX dead_letters_place ON dead_letters (queue_id, dead_at, letter_id);
DROP INDEX dead_letters_queue;

-- Dead letters of an own queue, oldest first, after a place, not younger than `until`; with a text, those
-- that hold it.
CREATE FUNCTION dead_letters_of(queue_name text, about text, until timestamptz,
                                after_at timestamptz, after_id uuid, max_letters integer)
    RETURNS SETOF dead_letters
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    queue integer := own_queue(queue_name);
BEGIN
    RETURN QUERY
        SELECT l.* FROM dead_letters l
        WHERE l.queue_id = queue
          AND (about IS NULL OR strpos(l.body, about) > 0 OR l.event_id::text = about)
          AND (until IS NULL OR l.dead_at <= until)
          AND (after_at IS NULL OR (l.dead_at, l.letter_id) > (after_at, after_id))
        ORDER BY l.dead_at, l.letter_id LIMIT max_letters;
END $$;

-- Dead letters of an own queue by their own ids or by those of their events.
CREATE FUNCTION dead_letters_named(queue_name text, wanted uuid[]) RETURNS SETOF dead_letters
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    queue integer := own_queue(queue_name);
BEGIN
    RETURN QUERY
        SELECT l.* FROM dead_letters l
        WHERE l.queue_id = queue AND (l.letter_id = ANY (wanted) OR l.event_id = ANY (wanted))
        ORDER BY l.dead_at, l.letter_id;
END $$;

-- Puts dead letters back into the queue they come from, as they were first published, and nowhere else.
-- Returns those that were still there.
CREATE FUNCTION replay_dead_letters(origin text, queue_name text, letters uuid[]) RETURNS uuid[]
    LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    queue    integer := own_queue(queue_name);
    replayed uuid[];
BEGIN
    WITH taken AS (DELETE FROM dead_letters WHERE queue_id = queue AND letter_id = ANY (letters) RETURNING *),
    back AS (
        INSERT INTO messages (queue_id, event_id, exchange, routing_key, body)
        SELECT queue_id, event_id, exchange, routing_key, body FROM taken ORDER BY id)
    SELECT array_agg(letter_id) INTO replayed FROM taken;
    PERFORM pg_notify('prost_messages', origin || ' ' || queue_name);
    RETURN coalesce(replayed, '{}');
END $$;

-- Throws dead letters away. Returns those that were still there.
CREATE FUNCTION discard_dead_letters(queue_name text, letters uuid[]) RETURNS uuid[]
    LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    queue     integer := own_queue(queue_name);
    discarded uuid[];
BEGIN
    WITH taken AS (DELETE FROM dead_letters WHERE queue_id = queue AND letter_id = ANY (letters) RETURNING letter_id)
    SELECT array_agg(letter_id) INTO discarded FROM taken;
    RETURN coalesce(discarded, '{}');
END $$;

REVOKE ALL ON FUNCTION dead_letters_of(text, text, timestamptz, timestamptz, uuid, integer),
    dead_letters_named(text, uuid[]), replay_dead_letters(text, text, uuid[]), discard_dead_letters(text, uuid[])
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION dead_letters_of(text, text, timestamptz, timestamptz, uuid, integer),
    dead_letters_named(text, uuid[]), replay_dead_letters(text, text, uuid[]), discard_dead_letters(text, uuid[])
    TO prost_users, prost_products, prost_cart, prost_orders, prost_payments, prost_analytics;
