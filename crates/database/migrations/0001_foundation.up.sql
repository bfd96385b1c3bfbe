-- What every schema shares: applied idempotency, recorded events, and the outbox.
-- (schema_migrations is made by the migration runner itself.)

CREATE TABLE idempotency_records (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id     uuid        NOT NULL,
    service_name text        NOT NULL,
    action       text        NOT NULL,
    result       jsonb       NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT idempotency_records_once UNIQUE (event_id, service_name)
);
COMMENT ON TABLE idempotency_records IS
    'One row per event applied (action: its handler) or HTTP idempotency key answered (action: http:METHOD /path)';
-- BRIN: rows arrive in time order, and only pruning asks for their age.
CREATE INDEX idempotency_records_age ON idempotency_records USING brin (created_at);
CREATE INDEX idempotency_records_keys ON idempotency_records (created_at) WHERE action LIKE 'http:%';

CREATE TABLE events (
    event_id       uuid        NOT NULL,
    recorded_at    timestamptz NOT NULL DEFAULT now(),
    event_type     text        NOT NULL,
    aggregate_type text        NOT NULL,
    aggregate_id   uuid        NOT NULL,
    correlation_id uuid        NOT NULL,
    exchange       text        NOT NULL,
    routing_key    text        NOT NULL,
    envelope       json        NOT NULL,
    PRIMARY KEY (event_id, recorded_at)
) PARTITION BY RANGE (recorded_at);
COMMENT ON TABLE events IS 'Audit trail: append-only; envelope is what was published, byte for byte (hence json, not jsonb)';
CREATE INDEX events_correlation ON events (correlation_id);
CREATE INDEX events_aggregate ON events (aggregate_id);
-- Catches what no daily partition covers, so that a write never fails for want of one.
CREATE TABLE events_default PARTITION OF events DEFAULT;

CREATE TABLE outbox (
    event_id        uuid        NOT NULL PRIMARY KEY,
    recorded_at     timestamptz NOT NULL DEFAULT now(),
    attempts        integer     NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    lease           uuid,
    last_error      text,
    failed_at       timestamptz
) WITH (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);
COMMENT ON TABLE outbox IS 'Unsent events; a leased row has its next_attempt_at in the future';
CREATE INDEX outbox_due ON outbox (next_attempt_at) WHERE failed_at IS NULL;
-- The day of an unsent event, asked when its partition would be dropped.
CREATE INDEX outbox_recorded ON outbox (recorded_at);

-- Makes daily partitions from yesterday to `days_ahead`, and drops those older than `days_kept`, but
-- none that still holds an unsent event. Runs with the owner's rights: a service's role makes no tables.
-- A partition is filled before it is attached, so that events which the default one caught find their day,
-- and attaching does not stop writers. Waits for no lock longer than 2 s: writers would queue behind it.
CREATE FUNCTION keep_event_partitions(days_ahead integer, days_kept integer) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET lock_timeout = '2s' AS $$
DECLARE
    today  date := (now() AT TIME ZONE 'UTC')::date;
    day    date;
    begins timestamptz;
    ends   timestamptz;
    name   text;
    part   record;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext(current_schema() || '.events'));
    FOR day IN SELECT generate_series(today - 1, today + days_ahead, interval '1 day')::date LOOP
        name := 'events_' || to_char(day, 'YYYYMMDD');
        CONTINUE WHEN to_regclass(name) IS NOT NULL;
        begins := day::timestamp AT TIME ZONE 'UTC';
        ends := (day + 1)::timestamp AT TIME ZONE 'UTC';
        EXECUTE format('CREATE TABLE %I (LIKE events INCLUDING DEFAULTS INCLUDING INDEXES)', name);
        EXECUTE format('WITH moved AS (DELETE FROM events_default WHERE recorded_at >= %L AND recorded_at < %L RETURNING *)
                        INSERT INTO %I SELECT * FROM moved', begins, ends, name);
        EXECUTE format('ALTER TABLE events ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', name, begins, ends);
    END LOOP;
    FOR part IN
        SELECT c.relname AS name, to_date(right(c.relname, 8), 'YYYYMMDD') AS day
        FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'events'::regclass AND c.relname ~ '^events_\d{8}$'
    LOOP
        CONTINUE WHEN part.day >= today - days_kept;
        CONTINUE WHEN EXISTS (SELECT 1 FROM outbox
                              WHERE recorded_at >= part.day::timestamp AT TIME ZONE 'UTC'
                                AND recorded_at < (part.day + 1)::timestamp AT TIME ZONE 'UTC');
        EXECUTE format('DROP TABLE %I', part.name);
    END LOOP;
    DELETE FROM events_default
    WHERE recorded_at < (today - days_kept)::timestamp AT TIME ZONE 'UTC'
      AND NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.event_id = events_default.event_id);
END $$;

SELECT keep_event_partitions(7, 30);
