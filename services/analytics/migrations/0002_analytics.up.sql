-- Every event there was, once: what all figures can be built from again. Thin, because each order brings about nine.
CREATE TABLE events_archive (
    event_id    uuid        PRIMARY KEY,
    occurred_at timestamptz NOT NULL,
    event_type  text        NOT NULL,
    envelope    json        NOT NULL
);
-- BRIN: rows arrive nearly in the order of time. event_id is time-ordered, too: rebuilding walks along it.
CREATE INDEX events_archive_age ON events_archive USING brin (occurred_at);

-- What is known of one order or one cart so far, in whatever order its events came: the memory behind the figures.
-- Read and written by id only.
CREATE TABLE facts (
    id         uuid        PRIMARY KEY,
    state      json        NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 70);

-- The figures. What count, quantity and amount mean is each report's own; see the service's facts.
CREATE TABLE reports (
    name       text          NOT NULL,
    day        date          NOT NULL,
    dimension  text          NOT NULL,
    currency   text          NOT NULL CONSTRAINT reports_currency_code CHECK (currency = '' OR length(currency) = 3),
    label      text          NOT NULL DEFAULT '',
    count      bigint        NOT NULL DEFAULT 0,
    quantity   bigint        NOT NULL DEFAULT 0,
    amount     numeric(19,4) NOT NULL DEFAULT 0,
    updated_at timestamptz   NOT NULL DEFAULT now(),
    PRIMARY KEY (name, day, dimension, currency)
) WITH (fillfactor = 70);
COMMENT ON COLUMN reports.currency IS 'Of amount; empty where there is none';
