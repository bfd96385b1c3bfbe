-- A confirmed order of one line for each row of `grown`, with all that a checkout leaves behind in every schema. What is
-- kept for 30 days (events, idempotency records) is there for the orders of the last 30.

CREATE FUNCTION pg_temp.snapshot(grown) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT format('{"order_id": "%s", "cart_id": "%s", "user_id": "%s", "correlation_id": "%s", "lines": [{"product_id": "%s",
        "name": "Late Riesling %s", "quantity": 1, "unit_price": {"amount": "19.90", "currency": "EUR"}}], "total":
        {"amount": "19.90", "currency": "EUR"}, "payment_method": "pm_card_visa", "shipping_address": {"full_name":
        "Load Test", "line1": "1 Bench Road", "city": "Berlin", "postal_code": "10115", "country_code": "DE"}}',
        pg_temp.id('005', $1), $1.cart, pg_temp.id('004', $1), pg_temp.id('006', $1), pg_temp.id('002', $1), $1.n)
$$;

-- The order's side.
INSERT INTO orders.orders (id, user_id, cart_id, currency, subtotal, total, status, version, saga_correlation_id,
        payment_method, shipping_address, created_at, updated_at)
    SELECT pg_temp.id('005', g), pg_temp.id('004', g), cart, 'EUR', 19.90, 19.90, 'CONFIRMED', 5, pg_temp.id('006', g),
        'pm_card_visa', '{"full_name": "Load Test", "line1": "1 Bench Road", "city": "Berlin", "postal_code": "10115",
            "country_code": "DE"}', at, at
    FROM grown g;
INSERT INTO orders.order_items (order_id, product_id, name, quantity, price, currency, created_at)
    SELECT pg_temp.id('005', g), pg_temp.id('002', g), 'Late Riesling ' || n, 1, 19.90, 'EUR', at FROM grown g;
INSERT INTO orders.saga_states (id, correlation_id, status, order_id, payload, created_at, updated_at)
    SELECT pg_temp.id('007', g), pg_temp.id('006', g), 'CONFIRMED', pg_temp.id('005', g), pg_temp.snapshot(g)::jsonb, at, at
    FROM grown g;
INSERT INTO orders.inventory_reservations (order_id, product_id, quantity, reservation_id, status, created_at, expires_at,
        fulfilled_at)
    SELECT pg_temp.id('005', g), pg_temp.id('002', g), 1, pg_temp.id('008', g), 'committed', at, at + interval '1 hour', at
    FROM grown g;
INSERT INTO orders.timeline (order_id, event_id, event, service, at)
    SELECT pg_temp.id('005', g), pg_temp.id('10' || step, g), event, 'orders', at
    FROM grown g, unnest(ARRAY['CartCheckoutInitiated', 'OrderPlaced', 'StockReserved', 'PaymentRequested',
        'PaymentProcessed', 'OrderConfirmed']) WITH ORDINALITY AS told (event, step);

-- Its holds.
INSERT INTO catalog.order_holds (order_id, cart_id, reservation_id, status, expires_at, created_at, updated_at)
    SELECT pg_temp.id('005', g), cart, pg_temp.id('008', g), 'committed', at + interval '1 hour', at, at FROM grown g;
INSERT INTO catalog.inventory_reservations (id, product_id, quantity, order_id, reservation_id, status, created_at, expires_at)
    SELECT pg_temp.id('009', g), pg_temp.id('002', g), 1, pg_temp.id('005', g), pg_temp.id('008', g), 'committed', at,
        at + interval '1 hour'
    FROM grown g;

-- Its cart.
INSERT INTO cart.carts (id, user_id, status, total, currency, version, order_id, created_at, updated_at)
    SELECT cart, pg_temp.id('004', g), 'ordered', 19.90, 'EUR', 3, pg_temp.id('005', g), at, at FROM grown g;
INSERT INTO cart.cart_items (id, cart_id, product_id, quantity, price, currency, created_at, updated_at)
    SELECT pg_temp.id('00a', g), cart, pg_temp.id('002', g), 1, 19.90, 'EUR', at, at FROM grown g;
INSERT INTO cart.saga_states (id, correlation_id, status, cart_id, order_id, payload, created_at, updated_at, expires_at)
    SELECT pg_temp.id('00b', g), pg_temp.id('006', g), 'completed', cart, pg_temp.id('005', g), pg_temp.snapshot(g)::jsonb,
        at, at, at + interval '1 hour'
    FROM grown g;
INSERT INTO cart.inventory_locks (id, cart_id, product_id, quantity, reservation_id, order_id, status, created_at, expires_at)
    SELECT pg_temp.id('00c', g), cart, pg_temp.id('002', g), 1, pg_temp.id('008', g), pg_temp.id('005', g), 'committed',
        at, at + interval '1 hour'
    FROM grown g;

-- Carts that somebody has just left, one for four orders.
INSERT INTO cart.carts (id, user_id, total, currency)
    SELECT md5('left ' || n)::uuid, pg_temp.id('004', g), 19.90, 'EUR' FROM grown g WHERE n % 4 = 0;
INSERT INTO cart.cart_items (id, cart_id, product_id, quantity, price, currency)
    SELECT pg_temp.id('010', g), md5('left ' || n)::uuid, pg_temp.id('002', g), 1, 19.90, 'EUR' FROM grown g WHERE n % 4 = 0;

-- Its payment, and the books of the test provider. One in fifty got something back.
INSERT INTO payments.payments (id, order_id, user_id, amount, currency, payment_method, provider, provider_ref, status,
        captured, correlation_id, requested_by, attempts, version, created_at, updated_at)
    SELECT pg_temp.id('00d', g), pg_temp.id('005', g), pg_temp.id('004', g), 19.90, 'EUR', 'pm_card_visa', 'test',
        'test_' || n, 'captured', 19.90, pg_temp.id('006', g), pg_temp.id('104', g), 1, 1, at, at
    FROM grown g;
INSERT INTO payments.test_provider_charges (key, order_id, amount, currency, payment_method, status, created_at)
    SELECT pg_temp.id('00d', g), pg_temp.id('005', g), 19.90, 'EUR', 'pm_card_visa', 'captured', at FROM grown g;
INSERT INTO payments.refunds (id, payment_id, amount, currency, reason, status, created_at, updated_at)
    SELECT pg_temp.id('00e', g), pg_temp.id('00d', g), 1, 'EUR', 'broken', 'succeeded', at, at FROM grown g WHERE n % 50 = 0;

-- What each service recorded in the last 30 days, in partitions by day, and what it handled.
DO $$
DECLARE
    service record;
    day     date;
    name    text;
BEGIN
    FOR service IN SELECT * FROM (VALUES
        ('cart', '{ItemAddedToCart, CartCheckoutInitiated}'::text[], 3),
        ('orders', '{OrderPlaced, PaymentRequested, OrderConfirmed}', 3),
        ('catalog', '{StockReserved}', 2),
        ('payments', '{PaymentProcessed}', 1)) AS s (schema, events, handled)
    LOOP
        FOR day IN SELECT (now() AT TIME ZONE 'UTC')::date - age FROM generate_series(2, 31) AS age LOOP
            name := 'events_' || to_char(day, 'YYYYMMDD');
            EXECUTE format('CREATE TABLE %1$I.%2$I PARTITION OF %1$I.events FOR VALUES FROM (%3$L) TO (%4$L)', service.schema, name,
                day::timestamp AT TIME ZONE 'UTC', (day + 1)::timestamp AT TIME ZONE 'UTC');
        END LOOP;
        EXECUTE format($insert$
            INSERT INTO %I.events (event_id, recorded_at, event_type, aggregate_type, aggregate_id, correlation_id, exchange,
                    routing_key, envelope)
                SELECT pg_temp.id('10' || step, g), at, event, 'Order', pg_temp.id('005', g), pg_temp.id('006', g),
                    'orders.events', 'order.placed', pg_temp.snapshot(g)::json
                FROM grown g, unnest($1) WITH ORDINALITY AS told (event, step) WHERE at > now() - interval '30 days'
            $insert$, service.schema) USING service.events;
        EXECUTE format($insert$
            INSERT INTO %I.idempotency_records (event_id, service_name, action, result, created_at)
                SELECT pg_temp.id('10' || step, g), %1$L, 'handler', '"applied"', at
                FROM grown g, generate_series(1, $1) AS step WHERE at > now() - interval '30 days'
            $insert$, service.schema) USING service.handled;
    END LOOP;
END $$;
