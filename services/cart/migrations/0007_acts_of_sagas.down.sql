ALTER TABLE operator_acts DROP COLUMN correlation_id;
