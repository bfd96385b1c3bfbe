-- A walk may begin where others came a while ago. What an open transaction could still see is not cleaned up, and who walks
-- from the very beginning steps over all of it. The default is for the release before, which knows of no such place.
DROP FUNCTION take(text, integer);
DROP FUNCTION receive(text, integer, uuid, float8);

CREATE FUNCTION take(queue_name text, max_messages integer, from_id bigint DEFAULT 0)
    RETURNS TABLE (id bigint, event_id uuid, event_type text, routing_key text, body text, traceparent text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET enable_seqscan = off SET enable_bitmapscan = off AS $$
#variable_conflict use_column
DECLARE
    queue integer := own_queue(queue_name);
BEGIN
    -- Deferrable means nothing to a transaction that writes; it shows that BEGIN was understood.
    IF current_setting('transaction_deferrable') <> 'on' THEN
        RAISE EXCEPTION 'messages are taken in the transaction of their effect' USING ERRCODE = 'no_active_sql_transaction';
    END IF;
    RETURN QUERY
        DELETE FROM messages m WHERE m.ctid = ANY (ARRAY(
            SELECT d.ctid FROM messages d
            WHERE d.queue_id = queue AND d.id >= from_id AND d.deliveries = 0 AND d.event_type IS NOT NULL
            ORDER BY d.id LIMIT max_messages FOR UPDATE SKIP LOCKED))
        RETURNING m.id, m.event_id, m.event_type, m.routing_key, m.body, m.traceparent;
END $$;

CREATE FUNCTION receive(queue_name text, max_messages integer, new_lease uuid, lease_s float8,
                        from_id bigint DEFAULT 0)
    RETURNS TABLE (id bigint, exchange text, routing_key text, body text, attempts integer, deliveries integer,
                   traceparent text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET enable_seqscan = off SET enable_bitmapscan = off AS $$
#variable_conflict use_column
DECLARE
    queue integer := own_queue(queue_name);
BEGIN
    UPDATE queues SET last_seen_at = now() WHERE id = queue AND transient AND last_seen_at < now() - interval '10 s';
    RETURN QUERY
        WITH leased AS (
            UPDATE messages m
            SET lease = new_lease, leased_until = now() + lease_s * interval '1 second', deliveries = m.deliveries + 1
            WHERE m.ctid = ANY (ARRAY(
                SELECT d.ctid FROM messages d
                WHERE d.queue_id = queue AND d.id >= from_id AND (d.leased_until IS NULL OR d.leased_until < now())
                ORDER BY d.id LIMIT max_messages FOR UPDATE SKIP LOCKED))
            RETURNING m.id, m.exchange, m.routing_key, m.body, m.attempts, m.deliveries, m.traceparent)
        SELECT * FROM leased ORDER BY id;
END $$;

REVOKE ALL ON FUNCTION take(text, integer, bigint), receive(text, integer, uuid, float8, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION take(text, integer, bigint), receive(text, integer, uuid, float8, bigint)
    TO prost_users, prost_products, prost_cart, prost_orders, prost_payments, prost_analytics, prost_gateway;
