-- Operators look customers up by the beginning of a name, and give roles, of which the trail tells.
CREATE INDEX users_email_prefix ON users (lower(email) text_pattern_ops);
CREATE INDEX users_username_prefix ON users (lower(username) text_pattern_ops);
-- Few: locked together when one of them may be the last.
CREATE INDEX users_admins ON users (id) WHERE role = 'admin' AND deleted_at IS NULL;

ALTER TABLE operator_acts
    DROP CONSTRAINT operator_acts_action_check,
    ADD CONSTRAINT operator_acts_action_check CHECK (action IN ('dead_letter.replay', 'dead_letter.discard',
        'outbox.retry', 'outbox.discard', 'saga.retry', 'user.set_role'));
