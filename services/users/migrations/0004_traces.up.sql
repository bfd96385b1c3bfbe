-- What an operator follows an order by, besides what is there: how often a delivery failed before it was applied or
-- parked, and the trace that a request belongs to. Neither costs the happy path anything.
CREATE TABLE failed_attempts (
    event_id   uuid        NOT NULL,
    queue      text        NOT NULL,
    attempts   integer     NOT NULL DEFAULT 1, -- all that failed, those before a replay included
    last_error text        NOT NULL,
    failed_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (event_id, queue)
);
COMMENT ON TABLE failed_attempts IS 'One row per event and queue that failed at least once; kept as long as idempotency_records';
-- Asked by the pruning alone, hourly.
CREATE INDEX failed_attempts_age ON failed_attempts (failed_at);

ALTER TABLE events ADD COLUMN traceparent text;
COMMENT ON COLUMN events.traceparent IS 'W3C trace context, as it came with the request that began it all; null if none did';
