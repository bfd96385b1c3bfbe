-- Where a service's tables lie beside the queues, its own transaction puts events into them, and the transaction of
-- an effect takes messages out of them: no relay, no lease, one commit each.

-- A foreign key would lock its queue's row for every message, and at many messages a second share the lock among many
-- writers, which costs a fifth of each insert. A durable queue is never deleted; the messages of a short-lived one go
-- with it in `sweep`.
ALTER TABLE messages DROP CONSTRAINT messages_queue_id_fkey;

-- Written by `send` alone. `take` passes over everything else, which then is received under a lease: what came over a
-- relay, what is tried again, and what a consumer may have died with.
ALTER TABLE messages ADD COLUMN event_type text;
COMMENT ON COLUMN messages.event_type IS 'Set where the event came straight from its own transaction; then event_id is set, too';

-- Puts events into every queue that is bound for them. In the transaction that the events tell of, hence without a
-- hint: its lock would line up all writers. Returns where each went; one that went nowhere durable must not vanish.
CREATE FUNCTION send(ids uuid[], types text[], exchanges text[], keys text[], bodies text[], traceparents text[])
    RETURNS TABLE (event_id uuid, queue text, is_durable boolean)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
        WITH routed AS MATERIALIZED (
            SELECT b.queue_id, q.name, NOT q.transient AS is_durable, m.*
            FROM unnest(ids, types, exchanges, keys, bodies, traceparents) WITH ORDINALITY
                   AS m (event_id, event_type, exchange, routing_key, body, traceparent, position)
            JOIN bindings b ON b.exchange = m.exchange AND b.routing_key = m.routing_key
            JOIN queues q ON q.id = b.queue_id),
        inserted AS (
            INSERT INTO messages (queue_id, event_id, event_type, exchange, routing_key, body, traceparent)
            SELECT queue_id, event_id, event_type, exchange, routing_key, body, traceparent
            FROM routed ORDER BY position)
        SELECT routed.event_id, routed.name, routed.is_durable FROM routed;
END $$;

-- Takes the oldest messages out of an own queue, in the transaction of their effect: if that rolls back, they are
-- there again. Only for those that no consumer was given before, because a rollback leaves no trace of one that dies
-- with a message. Whoever calls it outside of a transaction that said so would lose them.
CREATE FUNCTION take(queue_name text, max_messages integer)
    RETURNS TABLE (id bigint, event_id uuid, event_type text, routing_key text, body text, traceparent text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
    queue integer := own_queue(queue_name);
BEGIN
    -- Deferrable means nothing to a transaction that writes; it shows that BEGIN was understood.
    IF current_setting('transaction_deferrable') <> 'on' THEN
        RAISE EXCEPTION 'messages are taken in the transaction of their effect' USING ERRCODE = 'no_active_sql_transaction';
    END IF;
    RETURN QUERY
        WITH due AS MATERIALIZED (
            SELECT m.id FROM messages m
            WHERE m.queue_id = queue AND m.deliveries = 0 AND m.event_type IS NOT NULL
            ORDER BY m.id LIMIT max_messages FOR UPDATE SKIP LOCKED)
        DELETE FROM messages m USING due WHERE m.queue_id = queue AND m.id = due.id
        RETURNING m.id, m.event_id, m.event_type, m.routing_key, m.body, m.traceparent;
END $$;

-- Empties a short-lived queue of the caller's own. What is lost on the way, its reader knows how to make up for.
CREATE FUNCTION drain(queue_name text, max_messages integer) RETURNS TABLE (id bigint, body text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
    queue integer := own_queue(queue_name);
BEGIN
    UPDATE queues SET last_seen_at = now() WHERE id = queue AND transient AND last_seen_at < now() - interval '10 s';
    RETURN QUERY
        DELETE FROM messages m
        WHERE m.queue_id = queue
          AND m.id = ANY (ARRAY(SELECT d.id FROM messages d WHERE d.queue_id = queue ORDER BY d.id LIMIT max_messages))
        RETURNING m.id, m.body;
END $$;

-- As before, and the messages of a forgotten queue go with it: also those of a transaction that began before.
CREATE OR REPLACE FUNCTION sweep() RETURNS text[]
    LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    woken text[];
BEGIN
    DELETE FROM queues WHERE transient AND last_seen_at < now() - interval '60 s';
    IF FOUND THEN
        DELETE FROM messages m WHERE NOT EXISTS (SELECT FROM queues q WHERE q.id = m.queue_id);
    END IF;
    WITH due AS (
        DELETE FROM delayed_messages WHERE id IN (
            SELECT id FROM delayed_messages WHERE due_at <= now() ORDER BY due_at LIMIT 1000 FOR UPDATE SKIP LOCKED)
        RETURNING *),
    back AS (
        INSERT INTO messages (queue_id, event_id, exchange, routing_key, body, attempts, traceparent)
        SELECT queue_id, event_id, exchange, routing_key, body, attempts, traceparent FROM due RETURNING queue_id)
    SELECT array_agg(name) INTO woken FROM queues WHERE id IN (SELECT queue_id FROM back);
    RETURN coalesce(woken, '{}');
END $$;

REVOKE ALL ON FUNCTION send(uuid[], text[], text[], text[], text[], text[]), take(text, integer), drain(text, integer)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION send(uuid[], text[], text[], text[], text[], text[]), take(text, integer), drain(text, integer)
    TO prost_users, prost_products, prost_cart, prost_orders, prost_payments, prost_analytics, prost_gateway;
