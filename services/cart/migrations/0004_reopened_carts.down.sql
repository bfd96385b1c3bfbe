DROP INDEX carts_reopened;
