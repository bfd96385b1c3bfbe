-- What is wanted of the payment provider and what became of it. A row is written before the provider is
-- called; the id is the provider's idempotency key, so that asking again never charges twice.

CREATE TABLE payments (
    id                  uuid           PRIMARY KEY,
    order_id            uuid           NOT NULL CONSTRAINT payments_once_per_order UNIQUE,
    user_id             uuid           NOT NULL,
    amount              numeric(19, 4) CHECK (amount >= 0),
    currency            char(3),
    payment_method      text,
    provider            text           NOT NULL,
    provider_ref        text,
    status              text           NOT NULL CHECK (status IN
        ('pending', 'authorized', 'captured', 'declined', 'failed', 'refunded', 'partially_refunded')),
    captured            numeric(19, 4) NOT NULL DEFAULT 0,
    promised            numeric(19, 4) NOT NULL DEFAULT 0,
    refunded            numeric(19, 4) NOT NULL DEFAULT 0,
    failure_code        text,
    failure_reason      text,
    correlation_id      uuid           NOT NULL,
    requested_by        uuid,
    refund_requested_by uuid,
    refund_reason       text,
    attempts            integer        NOT NULL DEFAULT 0,
    next_attempt_at     timestamptz    NOT NULL DEFAULT now(),
    lease               uuid,
    version             bigint         NOT NULL DEFAULT 0,
    created_at          timestamptz    NOT NULL DEFAULT now(),
    updated_at          timestamptz    NOT NULL DEFAULT now(),
    -- Never more back than was taken, whatever runs in parallel.
    CONSTRAINT payments_refund_limit CHECK (0 <= refunded AND refunded <= promised AND promised <= captured),
    CONSTRAINT payments_capture_limit CHECK (captured <= coalesce(amount, 0)),
    -- Only an order called off before its payment was asked for has a row without a bill.
    CONSTRAINT payments_bill CHECK (num_nulls(amount, currency, payment_method) = 0
        OR (num_nonnulls(amount, currency, payment_method) = 0 AND status = 'failed'))
);
COMMENT ON TABLE payments IS 'One row per order; id is the provider''s idempotency key of the charge';
COMMENT ON COLUMN payments.promised IS 'Sum of refunds that are pending or have succeeded';
COMMENT ON COLUMN payments.requested_by IS 'The event PaymentRequested; null: the order was called off before';
COMMENT ON COLUMN payments.refund_requested_by IS 'The latest event RefundRequested';
COMMENT ON COLUMN payments.lease IS 'Whose answer counts; a leased row has its next_attempt_at in the future';
CREATE INDEX payments_due ON payments (next_attempt_at) WHERE status IN ('pending', 'authorized');
-- No index on user_id: payments are looked up by order, the user only decides whether it may be seen.
-- None on created_at: no list or report here is cut by time.

CREATE TABLE refunds (
    id              uuid           PRIMARY KEY,
    payment_id      uuid           NOT NULL REFERENCES payments (id),
    amount          numeric(19, 4) NOT NULL CHECK (amount > 0),
    currency        char(3)        NOT NULL,
    reason          text           NOT NULL,
    status          text           NOT NULL CHECK (status IN ('pending', 'succeeded', 'failed')),
    provider_ref    text,
    failure_reason  text,
    asked_by        uuid,
    requested_by    uuid,
    attempts        integer        NOT NULL DEFAULT 0,
    next_attempt_at timestamptz    NOT NULL DEFAULT now(),
    lease           uuid,
    created_at      timestamptz    NOT NULL DEFAULT now(),
    updated_at      timestamptz    NOT NULL DEFAULT now()
);
COMMENT ON TABLE refunds IS 'id is the provider''s idempotency key of the refund';
COMMENT ON COLUMN refunds.asked_by IS 'The admin who asked; null: the order asked with the event requested_by';
CREATE INDEX refunds_payment ON refunds (payment_id);
CREATE INDEX refunds_due ON refunds (next_attempt_at) WHERE status = 'pending';
