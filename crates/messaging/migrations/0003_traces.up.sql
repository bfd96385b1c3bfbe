-- Messages carry the trace context of the request that began it all, as a header does on a broker; null for most.
-- Functions that are replaced are those of 0001 and 0002, with that column. The publish of older releases stays.

ALTER TABLE messages ADD COLUMN traceparent text;
ALTER TABLE delayed_messages ADD COLUMN traceparent text;
ALTER TABLE dead_letters ADD COLUMN traceparent text;

-- As before, with a trace context for each message; null instead of the array: none has one.
CREATE FUNCTION publish(origin text, ids uuid[], exchanges text[], keys text[], bodies text[], traceparents text[])
    RETURNS text[]
    LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    unroutable text;
    woken      text[];
BEGIN
    SELECT format('%s %s', m.exchange, m.routing_key) INTO unroutable
    FROM (SELECT DISTINCT exchange, routing_key FROM unnest(exchanges, keys) AS k (exchange, routing_key)) m
    WHERE NOT EXISTS (SELECT 1 FROM bindings b JOIN queues q ON q.id = b.queue_id
                      WHERE b.exchange = m.exchange AND b.routing_key = m.routing_key AND NOT q.transient)
    LIMIT 1;
    IF unroutable IS NOT NULL THEN
        RAISE EXCEPTION 'unroutable: no queue is bound for %', unroutable USING ERRCODE = 'PR001';
    END IF;

    WITH inserted AS (
        INSERT INTO messages (queue_id, event_id, exchange, routing_key, body, traceparent)
        SELECT b.queue_id, m.event_id, m.exchange, m.routing_key, m.body, m.traceparent
        FROM unnest(ids, exchanges, keys, bodies, traceparents) WITH ORDINALITY
               AS m (event_id, exchange, routing_key, body, traceparent, position)
        JOIN bindings b ON b.exchange = m.exchange AND b.routing_key = m.routing_key
        ORDER BY m.position
        RETURNING queue_id)
    SELECT array_agg(name) INTO woken FROM queues WHERE id IN (SELECT queue_id FROM inserted);

    PERFORM pg_notify('prost_messages', origin || ' ' || array_to_string(woken, ' '));
    RETURN woken;
END $$;

-- One column more needs a new function.
DROP FUNCTION receive(text, integer, uuid, float8);
CREATE FUNCTION receive(queue_name text, max_messages integer, new_lease uuid, lease_s float8)
    RETURNS TABLE (id bigint, exchange text, routing_key text, body text, attempts integer, deliveries integer,
                   traceparent text)
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
            RETURNING m.id, m.exchange, m.routing_key, m.body, m.attempts, m.deliveries, m.traceparent)
        SELECT * FROM leased ORDER BY id;
END $$;

CREATE OR REPLACE FUNCTION retry_later(queue_name text, message_id bigint, held uuid, delay_s float8) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    queue integer := own_queue(queue_name);
BEGIN
    WITH taken AS (DELETE FROM messages WHERE queue_id = queue AND id = message_id AND lease = held RETURNING *)
    INSERT INTO delayed_messages (queue_id, event_id, exchange, routing_key, body, attempts, due_at, traceparent)
    SELECT queue_id, event_id, exchange, routing_key, body, attempts + 1, now() + delay_s * interval '1 second',
           traceparent
    FROM taken;
END $$;

CREATE OR REPLACE FUNCTION park(queue_name text, message_id bigint, held uuid, why text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    queue integer := own_queue(queue_name);
BEGIN
    WITH taken AS (DELETE FROM messages WHERE queue_id = queue AND id = message_id AND lease = held RETURNING *)
    INSERT INTO dead_letters (queue_id, event_id, exchange, routing_key, body, attempts, reason, traceparent)
    SELECT queue_id, event_id, exchange, routing_key, body, attempts + 1, why, traceparent FROM taken;
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
        INSERT INTO messages (queue_id, event_id, exchange, routing_key, body, attempts, traceparent)
        SELECT queue_id, event_id, exchange, routing_key, body, attempts, traceparent FROM due RETURNING queue_id)
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
        INSERT INTO messages (queue_id, event_id, exchange, routing_key, body, traceparent)
        SELECT queue_id, event_id, exchange, routing_key, body, traceparent FROM taken ORDER BY id)
    SELECT array_agg(letter_id) INTO replayed FROM taken;
    PERFORM pg_notify('prost_messages', origin || ' ' || queue_name);
    RETURN coalesce(replayed, '{}');
END $$;

-- How much waits in a service's queues. Anybody may look.
CREATE FUNCTION backlogs(of_service text)
    RETURNS TABLE (queue text, ready bigint, in_flight bigint, delayed bigint, dead bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
    SELECT q.name, m.ready, m.in_flight,
           (SELECT count(*) FROM delayed_messages d WHERE d.queue_id = q.id),
           (SELECT count(*) FROM dead_letters l WHERE l.queue_id = q.id)
    FROM queues q,
         LATERAL (SELECT count(*) FILTER (WHERE leased_until IS NULL OR leased_until < now()) AS ready,
                         count(*) FILTER (WHERE leased_until >= now()) AS in_flight
                  FROM messages WHERE queue_id = q.id) m
    WHERE q.service = of_service AND NOT q.transient ORDER BY q.name
$$;

REVOKE ALL ON FUNCTION publish(text, uuid[], text[], text[], text[], text[]), receive(text, integer, uuid, float8),
    backlogs(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION publish(text, uuid[], text[], text[], text[], text[]), receive(text, integer, uuid, float8),
    backlogs(text)
    TO prost_users, prost_products, prost_cart, prost_orders, prost_payments, prost_analytics, prost_gateway;
