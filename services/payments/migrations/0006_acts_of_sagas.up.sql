-- An order finds what was done about it, whatever that was done to: a dead letter, an unsent event or a payment of its saga.
ALTER TABLE operator_acts ADD COLUMN correlation_id uuid;
COMMENT ON COLUMN operator_acts.correlation_id IS 'the saga that the subject is part of, if it is part of one';
CREATE INDEX operator_acts_saga ON operator_acts (correlation_id);
-- Of acts so far as much as this schema tells.
UPDATE operator_acts SET correlation_id = events.correlation_id
    FROM events WHERE events.event_id = operator_acts.event_id AND operator_acts.queue IS NULL;

ALTER TABLE operator_acts
    DROP CONSTRAINT operator_acts_action_check,
    ADD CONSTRAINT operator_acts_action_check CHECK (action IN ('dead_letter.replay', 'dead_letter.discard',
        'outbox.retry', 'outbox.discard', 'saga.retry', 'payment.refund'));
