-- Carts, their lines, one row per checkout, the mirror of holds, and this service's copy of the catalogue.

CREATE TABLE products (
    product_id uuid          PRIMARY KEY,
    name       text          NOT NULL,
    sku        text          NOT NULL,
    price      numeric(19,4) NOT NULL,
    currency   char(3)       NOT NULL,
    image_url  text,
    version    bigint        NOT NULL,
    deleted    boolean       NOT NULL DEFAULT false,
    updated_at timestamptz   NOT NULL DEFAULT now()
);
COMMENT ON TABLE products IS
    'Copy of names and prices, from ProductCreated and ProductUpdated; only newer versions are written, rows are never deleted';

CREATE TABLE carts (
    id           uuid          PRIMARY KEY,
    user_id      uuid,
    status       text          NOT NULL DEFAULT 'active',
    total        numeric(19,4) NOT NULL DEFAULT 0,
    currency     char(3)       NOT NULL,
    version      bigint        NOT NULL DEFAULT 1,
    order_id     uuid,
    created_at   timestamptz   NOT NULL DEFAULT now(),
    updated_at   timestamptz   NOT NULL DEFAULT now(),
    abandoned_at timestamptz,
    reopened_at  timestamptz,
    CONSTRAINT carts_status CHECK (status IN ('active', 'checking_out', 'ordered', 'abandoned')),
    CONSTRAINT carts_order CHECK ((status IN ('checking_out', 'ordered')) = (order_id IS NOT NULL)),
    CONSTRAINT carts_owner CHECK (status IN ('active', 'abandoned') OR user_id IS NOT NULL),
    CONSTRAINT carts_total CHECK (total >= 0)
);
COMMENT ON COLUMN carts.order_id IS 'The order that this cart is becoming or became; null again once it is reopened';
COMMENT ON COLUMN carts.reopened_at IS 'When a refused order last gave it back';
-- A user's latest active cart.
CREATE INDEX carts_of_user ON carts (user_id, updated_at) WHERE status = 'active' AND user_id IS NOT NULL;
-- Carts left alone; ordered ones are never asked for by age.
CREATE INDEX carts_idle ON carts (updated_at) WHERE status = 'active';
CREATE UNIQUE INDEX carts_of_order ON carts (order_id) WHERE order_id IS NOT NULL;

CREATE TABLE cart_items (
    id         uuid          PRIMARY KEY,
    cart_id    uuid          NOT NULL REFERENCES carts ON DELETE CASCADE,
    product_id uuid          NOT NULL,
    quantity   integer       NOT NULL,
    price      numeric(19,4) NOT NULL,
    currency   char(3)       NOT NULL,
    created_at timestamptz   NOT NULL DEFAULT now(),
    updated_at timestamptz   NOT NULL DEFAULT now(),
    CONSTRAINT cart_items_quantity CHECK (quantity BETWEEN 1 AND 999),
    CONSTRAINT cart_items_price CHECK (price >= 0),
    CONSTRAINT cart_items_once UNIQUE (cart_id, product_id)
);
-- No foreign key to the copy of the product: each insert would lock the product's row, and a product that
-- everybody buys would become a hot row for shoppers who only fill carts. Rows of the copy are never deleted.
-- cart_items_once serves the foreign key to carts.
CREATE INDEX cart_items_of_product ON cart_items (product_id);

CREATE TABLE saga_states (
    id               uuid        PRIMARY KEY,
    correlation_id   uuid        NOT NULL,
    saga_type        text        NOT NULL DEFAULT 'checkout',
    status           text        NOT NULL DEFAULT 'started',
    cart_id          uuid        REFERENCES carts ON DELETE SET NULL,
    order_id         uuid        NOT NULL,
    payload          jsonb       NOT NULL,
    compensation_log jsonb       NOT NULL DEFAULT '[]',
    created_at       timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz NOT NULL DEFAULT now(),
    expires_at       timestamptz NOT NULL,
    CONSTRAINT saga_states_status CHECK (status IN ('started', 'completed', 'compensated')),
    CONSTRAINT saga_states_once UNIQUE (correlation_id),
    CONSTRAINT saga_states_order UNIQUE (order_id)
);
COMMENT ON TABLE saga_states IS
    'One row per checkout: payload is the snapshot that CartCheckoutInitiated carries; outlives its cart';
CREATE INDEX saga_states_of_cart ON saga_states (cart_id);
CREATE INDEX saga_states_open ON saga_states (expires_at) WHERE status = 'started';

CREATE TABLE inventory_locks (
    id             uuid        PRIMARY KEY,
    cart_id        uuid        NOT NULL REFERENCES carts ON DELETE CASCADE,
    product_id     uuid        NOT NULL,
    quantity       integer     NOT NULL,
    reservation_id uuid        NOT NULL,
    order_id       uuid        NOT NULL,
    status         text        NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now(),
    expires_at     timestamptz,
    released_at    timestamptz,
    CONSTRAINT inventory_locks_status CHECK (status IN ('held', 'committed', 'released', 'expired')),
    CONSTRAINT inventory_locks_quantity CHECK (quantity > 0),
    CONSTRAINT inventory_locks_once UNIQUE (reservation_id, product_id)
);
COMMENT ON TABLE inventory_locks IS
    'The shopper''s mirror of the hold, from StockReserved, StockReleased and OrderConfirmed; the truth is in products';
CREATE INDEX inventory_locks_of_cart ON inventory_locks (cart_id);
CREATE INDEX inventory_locks_of_order ON inventory_locks (order_id);
CREATE INDEX inventory_locks_of_product ON inventory_locks (product_id);
CREATE INDEX inventory_locks_open ON inventory_locks (expires_at) WHERE status = 'held';
