-- What operators did to this service's dead letters, unsent events and sagas: who, when, what, why. In the
-- service's own schema, because on RabbitMQ it may reach no other database. The row of an act on a broker is
-- written before the act (`begun`) and completed after it: of a crash in between, the trail tells.
CREATE TABLE operator_acts (
    id         uuid        NOT NULL PRIMARY KEY, -- UUIDv7: the order of acts
    acted_at   timestamptz NOT NULL DEFAULT now(),
    actor      text        NOT NULL,
    action     text        NOT NULL
        CHECK (action IN ('dead_letter.replay', 'dead_letter.discard', 'outbox.retry', 'outbox.discard', 'saga.retry')),
    subject_id uuid        NOT NULL, -- the dead letter, the event or the saga
    queue      text,
    event_id   uuid,
    event_type text,
    reason     text,
    outcome    text        NOT NULL CHECK (outcome IN ('begun', 'done', 'missing'))
);
CREATE INDEX operator_acts_subject ON operator_acts (subject_id);
CREATE INDEX operator_acts_event ON operator_acts (event_id);
