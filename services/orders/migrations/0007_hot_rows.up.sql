-- An order is written four times on its way to CONFIRMED, and each index that a change touches makes it write them
-- all. So there is none that no query asks for, and those by state hold what is open alone.

-- Nobody asks for orders by their cart: the cart knows its order.
DROP INDEX orders_of_cart;
-- Lists of a state that ends an order follow the ids, newest first.
DROP INDEX orders_by_status;
CREATE INDEX orders_open ON orders (status, id DESC)
    WHERE status NOT IN ('CONFIRMED', 'DELIVERED', 'COMPENSATED', 'CANCELLED');

-- One index for both questions about open sagas: whose time is over, and how many there are in each state.
DROP INDEX saga_states_deadline;
DROP INDEX saga_states_open;
CREATE INDEX saga_states_open ON saga_states (expires_at, status)
    WHERE status NOT IN ('CONFIRMED', 'SHIPPED', 'DELIVERED', 'COMPENSATED', 'CANCELLED');

-- The order's copy of its hold, and its lines, are read by order alone; by product, analytics and products know more.
DROP INDEX inventory_reservations_product;
DROP INDEX inventory_reservations_reservation;
DROP INDEX order_items_product;

-- An order's events are asked for by their correlation id.
DROP INDEX events_aggregate;
