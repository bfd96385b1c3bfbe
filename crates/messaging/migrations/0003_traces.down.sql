DROP FUNCTION backlogs(text);
DROP FUNCTION publish(text, uuid[], text[], text[], text[], text[]);
DROP FUNCTION receive(text, integer, uuid, float8);
CREATE FUNCTION receive(queue_name text, max_messages integer, new_lease uuid, lease_s float8)
    RETURNS TABLE (id bigint, exchange text, routing_key text, body text, attempts integer, deliveries integer)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
    queue integer := own_queue(queue_name);
BEGIN
    UPDATE queues SET last_seen_at = now() WHERE id = queue AND transient AND last_seen_at < now() - interval '10 s';
    RETURN QUERY
        WITH due AS MATERIALIZED (
            SELECT m.id FROM messages m
            WHERE m.queue_id = queue AND (m.leased_until IS NULL OR m.leased_until < now())
            ORDER BY m.id LIMIT max_messages FOR UPDATE SKIP LOCKED),
        leased AS (
            UPDATE messages m
            SET lease = new_lease, leased_until = now() + lease_s * interval '1 second', deliveries = m.deliveries + 1
            FROM due WHERE m.queue_id = queue AND m.id = due.id
            RETURNING m.id, m.exchange, m.routing_key, m.body, m.attempts, m.deliveries)
        SELECT * FROM leased ORDER BY id;
END $$;
REVOKE ALL ON FUNCTION receive(text, integer, uuid, float8) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION receive(text, integer, uuid, float8)
    TO prost_users, prost_products, prost_cart, prost_orders, prost_payments, prost_analytics, prost_gateway;

CREATE OR REPLACE FUNCTION retry_later(queue_name text, message_id bigint, held uuid, delay_s float8) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    queue integer := own_queue(queue_name);
BEGIN
    WITH taken AS (DELETE FROM messages WHERE queue_id = queue AND id = message_id AND lease = held RETURNING *)
    INSERT INTO delayed_messages (queue_id, event_id, exchange, routing_key, body, attempts, due_at)
    SELECT queue_id, event_id, exchange, routing_key, body, attempts + 1, now() + delay_s * interval '1 second'
    FROM taken;
END $$;

CREATE OR REPLACE FUNCTION park(queue_name text, message_id bigint, held uuid, why text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    queue integer := own_queue(queue_name);
BEGIN
    WITH taken AS (DELETE FROM messages WHERE queue_id = queue AND id = message_id AND lease = held RETURNING *)
    INSERT INTO dead_letters (queue_id, event_id, exchange, routing_key, body, attempts, reason)
    SELECT queue_id, event_id, exchange, routing_key, body, attempts + 1, why FROM taken;
END $$;

CREATE OR REPLACE FUNCTION sweep() RETURNS text[]
    LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    woken text[];
BEGIN
    DELETE FROM queues WHERE transient AND last_seen_at < now() - interval '60 s';
    WITH due AS (
        DELETE FROM delayed_messages WHERE id IN (
            SELECT id FROM delayed_messages WHERE due_at <= now() ORDER BY due_at LIMIT 1000 FOR UPDATE SKIP LOCKED)
        RETURNING *),
    back AS (
        INSERT INTO messages (queue_id, event_id, exchange, routing_key, body, attempts)
        SELECT queue_id, event_id, exchange, routing_key, body, attempts FROM due RETURNING queue_id)
    SELECT array_agg(name) INTO woken FROM queues WHERE id IN (SELECT queue_id FROM back);
    RETURN coalesce(woken, '{}');
END $$;

CREATE OR REPLACE FUNCTION replay_dead_letters(origin text, queue_name text, letters uuid[]) RETURNS uuid[]
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

ALTER TABLE messages DROP COLUMN traceparent;
ALTER TABLE delayed_messages DROP COLUMN traceparent;
ALTER TABLE dead_letters DROP COLUMN traceparent;
