-- An order finds what was done about it, whatever that was done to: a dead letter, an unsent event or a payment of its saga.
ALTER TABLE operator_acts ADD COLUMN correlation_id uuid;
COMMENT ON COLUMN operator_acts.correlation_id IS 'the saga that the subject is part of, if it is part of one';
CREATE INDEX operator_acts_saga ON operator_acts (correlation_id);
-- Of acts so far as much as this schema tells.
UPDATE operator_acts SET correlation_id = events.correlation_id
    FROM events WHERE events.event_id = operator_acts.event_id AND operator_acts.queue IS NULL;
UPDATE operator_acts SET correlation_id = saga_states.correlation_id
    FROM saga_states WHERE saga_states.id = operator_acts.subject_id;
