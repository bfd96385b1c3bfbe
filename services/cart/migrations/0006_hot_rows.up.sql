-- Indexes that no query asks for: each costs every shopper something.

-- The mirror of holds is read and changed by order. Its state is in no index, so that a change of it stays on its page;
-- what is overdue, products and orders know.
DROP INDEX inventory_locks_of_product;
DROP INDEX inventory_locks_open;
ALTER TABLE inventory_locks SET (fillfactor = 80);

-- A new price goes to the carts that came back lately, found by their time; nobody asks for all carts with a product.
DROP INDEX cart_items_of_product;

-- A cart's events are asked for by their correlation id.
DROP INDEX events_aggregate;
