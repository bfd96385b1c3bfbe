-- The books of the built-in test provider. It plays the outside world: it commits on its own, never in a
-- transaction of ours, and shares no key with our tables.

CREATE TABLE test_provider_charges (
    key            uuid           PRIMARY KEY,
    order_id       uuid           NOT NULL,
    amount         numeric(19, 4) NOT NULL,
    currency       char(3)        NOT NULL,
    payment_method text           NOT NULL,
    status         text           NOT NULL CHECK (status IN ('captured', 'declined', 'faulty', 'voided')),
    refunded       numeric(19, 4) NOT NULL DEFAULT 0,
    calls          integer        NOT NULL DEFAULT 1,
    created_at     timestamptz    NOT NULL DEFAULT now(),
    CONSTRAINT test_provider_charges_refund_limit CHECK (refunded >= 0 AND refunded <= amount)
);
COMMENT ON TABLE test_provider_charges IS 'One row per idempotency key, however often it was asked';
-- Asked by whoever proves that an order was charged once.
CREATE INDEX test_provider_charges_order ON test_provider_charges (order_id);

CREATE TABLE test_provider_refunds (
    key        uuid           PRIMARY KEY,
    charge_key uuid           NOT NULL REFERENCES test_provider_charges (key),
    amount     numeric(19, 4) NOT NULL CHECK (amount > 0),
    created_at timestamptz    NOT NULL DEFAULT now()
);
CREATE INDEX test_provider_refunds_charge ON test_provider_refunds (charge_key);
