DROP TABLE inventory_reservations;
DROP TABLE order_holds;
DROP TABLE inventory_history;
