-- The Postgres transport: queues with leases, delayed retries and dead letters, under the same names as
-- on RabbitMQ. Services reach it through the functions below only: they send anywhere and receive from
-- their own queues. The invoker's role decides, so the functions check it before they act for the owner.

CREATE TABLE queues (
    id                   integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name                 text        NOT NULL UNIQUE,
    service              text        NOT NULL,
    dead_letter_exchange text,
    dead_letter_queue    text UNIQUE,
    -- A short-lived queue of one gateway process; it goes when nobody asked for a minute.
    transient            boolean     NOT NULL DEFAULT false,
    last_seen_at         timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE bindings (
    exchange    text    NOT NULL,
    routing_key text    NOT NULL,
    queue_id    integer NOT NULL REFERENCES queues ON DELETE CASCADE,
    PRIMARY KEY (exchange, routing_key, queue_id)
);
CREATE INDEX bindings_queue ON bindings (queue_id);

CREATE TABLE messages (
    queue_id     integer     NOT NULL REFERENCES queues ON DELETE CASCADE,
    id           bigint GENERATED ALWAYS AS IDENTITY,
    event_id     uuid,
    exchange     text        NOT NULL,
    routing_key  text        NOT NULL,
    body         text        NOT NULL,
    attempts     integer     NOT NULL DEFAULT 0,
    deliveries   integer     NOT NULL DEFAULT 0,
    lease        uuid,
    leased_until timestamptz,
    enqueued_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (queue_id, id)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 5000,
        autovacuum_vacuum_cost_delay = 0);
COMMENT ON COLUMN messages.leased_until IS 'not indexed, so that taking a lease is a HOT update';

CREATE TABLE delayed_messages (
    queue_id    integer     NOT NULL REFERENCES queues ON DELETE CASCADE,
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id    uuid,
    exchange    text        NOT NULL,
    routing_key text        NOT NULL,
    body        text        NOT NULL,
    attempts    integer     NOT NULL,
    due_at      timestamptz NOT NULL
);
CREATE INDEX delayed_messages_due ON delayed_messages (due_at);
CREATE INDEX delayed_messages_queue ON delayed_messages (queue_id);

CREATE TABLE dead_letters (
    queue_id    integer     NOT NULL REFERENCES queues ON DELETE CASCADE,
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id    uuid,
    exchange    text        NOT NULL,
    routing_key text        NOT NULL,
    body        text        NOT NULL,
    attempts    integer     NOT NULL,
    reason      text        NOT NULL,
    dead_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX dead_letters_queue ON dead_letters (queue_id, id);
CREATE INDEX dead_letters_event ON dead_letters (event_id);

-- The role that called: SET ROLE wins over the login.
CREATE FUNCTION caller_role() RETURNS text LANGUAGE sql STABLE AS $$
    SELECT coalesce(nullif(current_setting('role', true), 'none'), session_user::text)
$$;

-- The id of a queue, if it belongs to the caller.
CREATE FUNCTION own_queue(queue_name text) RETURNS integer
    LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
DECLARE
    found record;
BEGIN
    SELECT id, service INTO found FROM queues WHERE name = queue_name;
    IF found.id IS NULL THEN
        RAISE EXCEPTION 'queue % does not exist', queue_name USING ERRCODE = 'undefined_object';
    END IF;
    IF caller_role() <> 'prost_' || found.service THEN
        RAISE EXCEPTION 'queue % belongs to %', queue_name, found.service USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN found.id;
END $$;

-- Puts messages into every queue that is bound for them, and hints once per call. Returns the queues.
-- A message that no durable queue wants fails the call: it must not vanish.
CREATE FUNCTION publish(origin text, ids uuid[], exchanges text[], keys text[], bodies text[]) RETURNS text[]
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
        INSERT INTO messages (queue_id, event_id, exchange, routing_key, body)
        SELECT b.queue_id, m.event_id, m.exchange, m.routing_key, m.body
        FROM unnest(ids, exchanges, keys, bodies) WITH ORDINALITY
               AS m (event_id, exchange, routing_key, body, position)
        JOIN bindings b ON b.exchange = m.exchange AND b.routing_key = m.routing_key
        ORDER BY m.position
        RETURNING queue_id)
    SELECT array_agg(name) INTO woken FROM queues WHERE id IN (SELECT queue_id FROM inserted);

    PERFORM pg_notify('prost_messages', origin || ' ' || array_to_string(woken, ' '));
    RETURN woken;
END $$;

-- Leases the oldest free messages of an own queue.
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

-- Takes handled messages out, where the lease is still the caller's.
CREATE FUNCTION ack(queue_name text, message_ids bigint[], held uuid) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET enable_seqscan = off AS $$
DECLARE
    queue   integer := own_queue(queue_name);
    removed bigint;
BEGIN
    DELETE FROM messages WHERE queue_id = queue AND id = ANY (message_ids) AND lease = held;
    GET DIAGNOSTICS removed = ROW_COUNT;
    RETURN removed;
END $$;

-- Gives back what a consumer that ends in order has leased and not settled: nobody waits for the lease to
-- expire, and it does not count as a delivery.
CREATE FUNCTION release(queue_name text, held uuid) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET enable_seqscan = off AS $$
DECLARE
    queue    integer := own_queue(queue_name);
    released bigint;
BEGIN
    UPDATE messages SET lease = NULL, leased_until = NULL, deliveries = deliveries - 1
    WHERE queue_id = queue AND lease = held AND leased_until >= now();
    GET DIAGNOSTICS released = ROW_COUNT;
    RETURN released;
END $$;

-- Gives a message another try after a delay.
CREATE FUNCTION retry_later(queue_name text, message_id bigint, held uuid, delay_s float8) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    queue integer := own_queue(queue_name);
BEGIN
    WITH taken AS (DELETE FROM messages WHERE queue_id = queue AND id = message_id AND lease = held RETURNING *)
    INSERT INTO delayed_messages (queue_id, event_id, exchange, routing_key, body, attempts, due_at)
    SELECT queue_id, event_id, exchange, routing_key, body, attempts + 1, now() + delay_s * interval '1 second'
    FROM taken;
END $$;

-- Parks a message that cannot be handled.
CREATE FUNCTION park(queue_name text, message_id bigint, held uuid, why text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    queue integer := own_queue(queue_name);
BEGIN
    WITH taken AS (DELETE FROM messages WHERE queue_id = queue AND id = message_id AND lease = held RETURNING *)
    INSERT INTO dead_letters (queue_id, event_id, exchange, routing_key, body, attempts, reason)
    SELECT queue_id, event_id, exchange, routing_key, body, attempts + 1, why FROM taken;
END $$;

-- Moves due retries back into their queues and forgets transient queues that nobody reads. Anybody may call it.
CREATE FUNCTION sweep() RETURNS text[]
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

-- Opens a short-lived queue of the caller's own, bound to these keys.
CREATE FUNCTION open_tap(queue_name text, exchanges text[], keys text[]) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    queue integer;
BEGIN
    IF caller_role() <> 'prost_gateway' OR queue_name NOT LIKE 'gateway.%' THEN
        RAISE EXCEPTION 'only the gateway opens short-lived queues' USING ERRCODE = 'insufficient_privilege';
    END IF;
    INSERT INTO queues (name, service, transient) VALUES (queue_name, 'gateway', true)
        ON CONFLICT (name) DO UPDATE SET last_seen_at = now() RETURNING id INTO queue;
    INSERT INTO bindings (exchange, routing_key, queue_id)
        SELECT exchange, routing_key, queue FROM unnest(exchanges, keys) AS b (exchange, routing_key)
        ON CONFLICT DO NOTHING;
END $$;

-- How much waits where. Anybody may look.
CREATE FUNCTION depths() RETURNS TABLE (queue text, service text, ready bigint, delayed bigint, dead bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
    SELECT q.name, q.service,
           (SELECT count(*) FROM messages m WHERE m.queue_id = q.id),
           (SELECT count(*) FROM delayed_messages d WHERE d.queue_id = q.id),
           (SELECT count(*) FROM dead_letters l WHERE l.queue_id = q.id)
    FROM queues q ORDER BY q.name
$$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA messaging FROM PUBLIC;
DO $$
DECLARE
    service text;
BEGIN
    FOREACH service IN ARRAY '{users,products,cart,orders,payments,analytics,gateway}'::text[] LOOP
        BEGIN
            IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'prost_' || service) THEN
                EXECUTE format('CREATE ROLE %I NOLOGIN', 'prost_' || service);
            END IF;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
        END;
        -- A superuser needs no membership, and deploys of two databases would meet in the shared catalogue.
        IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = CURRENT_USER) THEN
            EXECUTE format('GRANT %I TO CURRENT_USER', 'prost_' || service);
        END IF;
        EXECUTE format('GRANT USAGE ON SCHEMA messaging TO %I', 'prost_' || service);
        EXECUTE format('GRANT EXECUTE ON FUNCTION publish(text, uuid[], text[], text[], text[]),
            receive(text, integer, uuid, float8), ack(text, bigint[], uuid), release(text, uuid),
            retry_later(text, bigint, uuid, float8), park(text, bigint, uuid, text), sweep(), depths() TO %I',
            'prost_' || service);
    END LOOP;
    GRANT EXECUTE ON FUNCTION open_tap(text, text[], text[]) TO prost_gateway;
END $$;
