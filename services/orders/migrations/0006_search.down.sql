DROP INDEX orders_created;
DROP INDEX timeline_event;
