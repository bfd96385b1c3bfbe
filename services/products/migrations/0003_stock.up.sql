-- Where stock came from, and who holds it.

CREATE TABLE inventory_history (
    id             uuid        NOT NULL PRIMARY KEY,
    product_id     uuid        NOT NULL CONSTRAINT inventory_history_product REFERENCES products (id),
    change         integer     NOT NULL,
    stock_quantity integer     NOT NULL,
    reason         text        NOT NULL CONSTRAINT inventory_history_reason_length CHECK (char_length(reason) BETWEEN 1 AND 500),
    actor          text        NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE inventory_history IS
    'Stock received, taken out or corrected; sum(change) is what was received. Holds and sales are inventory_reservations';
COMMENT ON COLUMN inventory_history.stock_quantity IS 'What could be sold after it';
-- Newest first per product. The ids are time-ordered, so created_at needs no index of its own.
CREATE INDEX inventory_history_of_product ON inventory_history (product_id, id DESC);

CREATE TABLE order_holds (
    order_id       uuid        NOT NULL PRIMARY KEY,
    cart_id        uuid        NOT NULL,
    reservation_id uuid,
    status         text        NOT NULL CONSTRAINT order_holds_status
                               CHECK (status IN ('held', 'committed', 'refused', 'released')),
    refusal        jsonb,
    expires_at     timestamptz,
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT order_holds_answer CHECK (
        CASE status
            WHEN 'refused' THEN refusal IS NOT NULL AND reservation_id IS NULL
            WHEN 'released' THEN true
            ELSE reservation_id IS NOT NULL AND expires_at IS NOT NULL
        END)
) WITH (fillfactor = 80);
COMMENT ON TABLE order_holds IS
    'What was decided about an order, once; a row that is released and has no reservation is a tombstone: the release came first';
-- Neither status nor cart_id is searched by: orders are found by their id.

CREATE TABLE inventory_reservations (
    id             uuid        NOT NULL PRIMARY KEY,
    product_id     uuid        NOT NULL CONSTRAINT inventory_reservations_product REFERENCES products (id),
    quantity       integer     NOT NULL CONSTRAINT inventory_reservations_quantity CHECK (quantity > 0),
    order_id       uuid        NOT NULL CONSTRAINT inventory_reservations_order REFERENCES order_holds (order_id),
    reservation_id uuid        NOT NULL,
    status         text        NOT NULL CONSTRAINT inventory_reservations_status
                               CHECK (status IN ('held', 'committed', 'released', 'expired')),
    created_at     timestamptz NOT NULL DEFAULT now(),
    expires_at     timestamptz NOT NULL,
    released_at    timestamptz,
    CONSTRAINT inventory_reservations_once UNIQUE (order_id, product_id),
    CONSTRAINT inventory_reservations_released CHECK ((status IN ('released', 'expired')) = (released_at IS NOT NULL))
);
COMMENT ON TABLE inventory_reservations IS
    'The lines of a hold. expired: given back after its time, by the saga''s request like any other';
CREATE INDEX inventory_reservations_of_product ON inventory_reservations (product_id);
CREATE INDEX inventory_reservations_open ON inventory_reservations (expires_at) WHERE status = 'held';
-- reservation_id is one to one with order_id and not searched by.
