-- Facts and figures in generations: one is shown; while the reports are rebuilt from the archive, a second one grows beside
-- it, and what comes in meanwhile goes into both.
CREATE TABLE generations (
    is_only  boolean     PRIMARY KEY DEFAULT true CHECK (is_only),
    shown    integer     NOT NULL DEFAULT 0,
    building integer,
    actor    text,
    began_at timestamptz,
    done     bigint      NOT NULL DEFAULT 0,
    wanted   bigint      NOT NULL DEFAULT 0,
    moved_at timestamptz,
    CHECK (building <> shown)
);
COMMENT ON TABLE generations IS 'one row: which generation is shown, and how far the next one is';
COMMENT ON COLUMN generations.done IS 'events of the archive that the generation being built has read; wanted: how many there were at the beginning';
INSERT INTO generations DEFAULT VALUES;

ALTER TABLE facts ADD COLUMN generation integer NOT NULL DEFAULT 0, DROP CONSTRAINT facts_pkey, ADD PRIMARY KEY (generation, id);
ALTER TABLE facts ALTER COLUMN generation DROP DEFAULT;
ALTER TABLE reports ADD COLUMN generation integer NOT NULL DEFAULT 0, DROP CONSTRAINT reports_pkey,
    ADD PRIMARY KEY (generation, name, day, dimension, currency);
ALTER TABLE reports ALTER COLUMN generation DROP DEFAULT;

ALTER TABLE operator_acts
    DROP CONSTRAINT operator_acts_action_check,
    ADD CONSTRAINT operator_acts_action_check CHECK (action IN ('dead_letter.replay', 'dead_letter.discard',
        'outbox.retry', 'outbox.discard', 'saga.retry', 'reports.rebuild'));
