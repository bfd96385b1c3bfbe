DROP INDEX orders_undone;
