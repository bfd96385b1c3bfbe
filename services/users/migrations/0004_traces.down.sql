ALTER TABLE events DROP COLUMN traceparent;
DROP TABLE failed_attempts;
