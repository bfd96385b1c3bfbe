-- Orders that were undone are few among many, and are looked for by state; without an index of their own a list of them
-- would read all orders. No order touches it on its way to CONFIRMED.
CREATE INDEX orders_undone ON orders (status, id DESC) WHERE status IN ('COMPENSATED', 'CANCELLED');
