-- Of the generations only the shown one stays. NOT VALID: what the trail tells already stays.
ALTER TABLE operator_acts
    DROP CONSTRAINT operator_acts_action_check,
    ADD CONSTRAINT operator_acts_action_check CHECK (action IN ('dead_letter.replay', 'dead_letter.discard',
        'outbox.retry', 'outbox.discard', 'saga.retry')) NOT VALID;
DELETE FROM facts WHERE generation <> (SELECT shown FROM generations);
DELETE FROM reports WHERE generation <> (SELECT shown FROM generations);
ALTER TABLE facts DROP CONSTRAINT facts_pkey, ADD PRIMARY KEY (id), DROP COLUMN generation;
ALTER TABLE reports DROP CONSTRAINT reports_pkey, ADD PRIMARY KEY (name, day, dimension, currency), DROP COLUMN generation;
DROP TABLE generations;
