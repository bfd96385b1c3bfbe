-- Accounts. A closed account keeps its row, its personal data masked, so the unique rules need no condition.
CREATE TABLE users (
    id             uuid        PRIMARY KEY,
    email          text        NOT NULL,
    username       text        NOT NULL,
    password_hash  text        NOT NULL,
    role           text        NOT NULL DEFAULT 'user' CONSTRAINT users_role_known CHECK (role IN ('user', 'admin')),
    email_verified boolean     NOT NULL DEFAULT false,
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now(),
    deleted_at     timestamptz
);
-- Whatever its case. Addresses are ASCII (the service sees to that), so lower() is right in every locale.
CREATE UNIQUE INDEX users_email_unique ON users (lower(email));
-- Made after the e-mail's, and so checked after it: who repeats a registration hears that the e-mail is known.
CREATE UNIQUE INDEX users_username_unique ON users (username);
COMMENT ON COLUMN users.deleted_at IS 'Closed: e-mail, username and hash are masked';

-- Refresh tokens: opaque to the client, hashed here, good for one use. A session is a login and all that was
-- refreshed from it; using a token twice ends its session.
CREATE TABLE refresh_tokens (
    token_hash bytea       PRIMARY KEY,
    session_id uuid        NOT NULL,
    user_id    uuid        NOT NULL REFERENCES users (id),
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    used_at    timestamptz,
    revoked_at timestamptz
);
CREATE INDEX refresh_tokens_session ON refresh_tokens (session_id);
CREATE INDEX refresh_tokens_user ON refresh_tokens (user_id);
CREATE INDEX refresh_tokens_expiry ON refresh_tokens (expires_at);

-- Failed logins that still count, by account and address: one row, so that parallel failures are counted one after
-- the other. The account is a hash of the e-mail address tried, which may be nobody's.
CREATE TABLE login_failures (
    account        bytea         NOT NULL,
    address        text          NOT NULL,
    failed_at      timestamptz[] NOT NULL,
    last_failed_at timestamptz   NOT NULL,
    PRIMARY KEY (account, address)
);
CREATE INDEX login_failures_age ON login_failures (last_failed_at);
