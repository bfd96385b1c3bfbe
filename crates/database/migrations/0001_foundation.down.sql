DROP FUNCTION keep_event_partitions(integer, integer);
DROP TABLE outbox;
DROP TABLE events;
DROP TABLE idempotency_records;
