CREATE INDEX orders_of_cart ON orders (cart_id);
DROP INDEX orders_open;
CREATE INDEX orders_by_status ON orders (status, id DESC);
DROP INDEX saga_states_open;
CREATE INDEX saga_states_deadline ON saga_states (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX saga_states_open ON saga_states (status, id)
    WHERE status NOT IN ('CONFIRMED', 'SHIPPED', 'DELIVERED', 'COMPENSATED', 'CANCELLED');
CREATE INDEX inventory_reservations_product ON inventory_reservations (product_id);
CREATE INDEX inventory_reservations_reservation ON inventory_reservations (reservation_id);
CREATE INDEX order_items_product ON order_items (product_id);
CREATE INDEX events_aggregate ON events (aggregate_id);
