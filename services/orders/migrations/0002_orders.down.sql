DROP TABLE timeline;
DROP TABLE inventory_reservations;
DROP TABLE compensation_log;
DROP TABLE saga_states;
DROP TABLE order_items;
DROP TABLE orders;
