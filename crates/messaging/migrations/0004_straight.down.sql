DROP FUNCTION send(uuid[], text[], text[], text[], text[], text[]);
DROP FUNCTION take(text, integer);
DROP FUNCTION drain(text, integer);
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
ALTER TABLE messages DROP COLUMN event_type;
DELETE FROM messages m WHERE NOT EXISTS (SELECT FROM queues q WHERE q.id = m.queue_id);
ALTER TABLE messages ADD CONSTRAINT messages_queue_id_fkey FOREIGN KEY (queue_id) REFERENCES queues ON DELETE CASCADE;
