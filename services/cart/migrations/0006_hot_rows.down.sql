CREATE INDEX inventory_locks_of_product ON inventory_locks (product_id);
CREATE INDEX inventory_locks_open ON inventory_locks (expires_at) WHERE status = 'held';
ALTER TABLE inventory_locks RESET (fillfactor);
CREATE INDEX cart_items_of_product ON cart_items (product_id);
CREATE INDEX events_aggregate ON events (aggregate_id);
