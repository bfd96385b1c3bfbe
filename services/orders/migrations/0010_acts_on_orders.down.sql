-- NOT VALID: what the trail tells already stays.
ALTER TABLE operator_acts
    DROP CONSTRAINT operator_acts_action_check,
    ADD CONSTRAINT operator_acts_action_check CHECK (action IN ('dead_letter.replay', 'dead_letter.discard',
        'outbox.retry', 'outbox.discard', 'saga.retry')) NOT VALID;
