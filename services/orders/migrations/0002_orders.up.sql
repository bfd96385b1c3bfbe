CREATE TABLE orders (
    id                  uuid PRIMARY KEY,
    user_id             uuid          NOT NULL,
    cart_id             uuid          NOT NULL,
    currency            char(3)       NOT NULL,
    subtotal            numeric(19,4) NOT NULL CHECK (subtotal >= 0),
    shipping_total      numeric(19,4) NOT NULL DEFAULT 0 CHECK (shipping_total >= 0),
    tax_total           numeric(19,4) NOT NULL DEFAULT 0 CHECK (tax_total >= 0),
    total               numeric(19,4) NOT NULL,
    status              text          NOT NULL CHECK (status IN (
        'PENDING', 'CART_VALIDATED', 'INVENTORY_RESERVED', 'PAYMENT_PROCESSED', 'CONFIRMED', 'SHIPPED', 'DELIVERED',
        'FAILED', 'COMPENSATED', 'CANCELLING', 'CANCELLED')),
    version             bigint        NOT NULL DEFAULT 1,
    saga_correlation_id uuid          NOT NULL UNIQUE,
    payment_method      text          NOT NULL,
    shipping_address    jsonb,
    failure_code        text,
    failure_reason      text,
    cancel_reason       text,
    created_at          timestamptz   NOT NULL DEFAULT now(),
    updated_at          timestamptz   NOT NULL DEFAULT now(),
    shipped_at          timestamptz,
    delivered_at        timestamptz,
    cancelled_at        timestamptz,
    CHECK (total = subtotal + shipping_total + tax_total)
) WITH (fillfactor = 80);
COMMENT ON COLUMN orders.cart_id IS 'not unique: a cart that came back after a decline gets a new order at its next checkout';
-- Ids are UUIDv7: ordered by id is ordered by time.
CREATE INDEX orders_of_user ON orders (user_id, id DESC);
CREATE INDEX orders_by_status ON orders (status, id DESC);
CREATE INDEX orders_of_cart ON orders (cart_id);

CREATE TABLE order_items (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id   uuid          NOT NULL REFERENCES orders ON DELETE CASCADE,
    product_id uuid          NOT NULL,
    name       text          NOT NULL,
    quantity   integer       NOT NULL CHECK (quantity > 0),
    price      numeric(19,4) NOT NULL CHECK (price >= 0),
    currency   char(3)       NOT NULL,
    created_at timestamptz   NOT NULL DEFAULT now()
);
CREATE INDEX order_items_order ON order_items (order_id);
CREATE INDEX order_items_product ON order_items (product_id);

CREATE TABLE saga_states (
    id               uuid        PRIMARY KEY,
    correlation_id   uuid        NOT NULL UNIQUE,
    saga_type        text        NOT NULL DEFAULT 'checkout',
    status           text        NOT NULL,
    ending           text        CHECK (ending IN ('FAILURE', 'CANCELLATION')),
    order_id         uuid        NOT NULL UNIQUE REFERENCES orders ON DELETE CASCADE,
    payload          jsonb       NOT NULL,
    compensation_log text[]      NOT NULL DEFAULT '{}',
    asked            integer     NOT NULL DEFAULT 0,
    created_at       timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz NOT NULL DEFAULT now(),
    expires_at       timestamptz
) WITH (fillfactor = 70);
COMMENT ON COLUMN saga_states.compensation_log IS 'the undos still owed, the next one first; each run is a row of compensation_log';
COMMENT ON COLUMN saga_states.payload IS 'the snapshot that the cart fixed at checkout';
COMMENT ON COLUMN saga_states.expires_at IS 'when the watchdog looks at it; null at rest';
CREATE INDEX saga_states_deadline ON saga_states (expires_at) WHERE expires_at IS NOT NULL;
-- Sagas at rest are found through their order; only open ones are listed by state.
CREATE INDEX saga_states_open ON saga_states (status, id)
    WHERE status NOT IN ('CONFIRMED', 'SHIPPED', 'DELIVERED', 'COMPENSATED', 'CANCELLED');

CREATE TABLE compensation_log (
    id                   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id             uuid        NOT NULL REFERENCES orders ON DELETE CASCADE,
    saga_correlation_id  uuid        NOT NULL,
    compensation_event   text        NOT NULL,
    compensation_payload jsonb       NOT NULL,
    status               text        NOT NULL CHECK (status IN ('requested', 'completed')),
    created_at           timestamptz NOT NULL DEFAULT now(),
    completed_at         timestamptz,
    UNIQUE (order_id, compensation_event)
);
CREATE INDEX compensation_log_saga ON compensation_log (saga_correlation_id);
CREATE INDEX compensation_log_open ON compensation_log (created_at) WHERE status = 'requested';

CREATE TABLE inventory_reservations (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id       uuid        NOT NULL REFERENCES orders ON DELETE CASCADE,
    product_id     uuid        NOT NULL,
    quantity       integer     NOT NULL CHECK (quantity > 0),
    reservation_id uuid        NOT NULL,
    status         text        NOT NULL CHECK (status IN ('held', 'committed', 'released', 'expired')),
    created_at     timestamptz NOT NULL DEFAULT now(),
    expires_at     timestamptz NOT NULL,
    released_at    timestamptz,
    fulfilled_at   timestamptz,
    UNIQUE (order_id, product_id)
) WITH (fillfactor = 80);
COMMENT ON TABLE inventory_reservations IS 'the order''s copy, from events; the truth about holds lies in catalog';
CREATE INDEX inventory_reservations_product ON inventory_reservations (product_id);
CREATE INDEX inventory_reservations_reservation ON inventory_reservations (reservation_id);

CREATE TABLE timeline (
    order_id uuid        NOT NULL REFERENCES orders ON DELETE CASCADE,
    event_id uuid        NOT NULL,
    event    text        NOT NULL,
    service  text        NOT NULL,
    detail   text,
    at       timestamptz NOT NULL,
    PRIMARY KEY (order_id, event_id)
);
COMMENT ON TABLE timeline IS 'what happened to an order, across services: each event that moved its saga, and each it caused';
