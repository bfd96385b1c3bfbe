-- A change of price that is told late looks for the carts that came back lately: few among all active ones.
CREATE INDEX carts_reopened ON carts (reopened_at) WHERE status = 'active' AND reopened_at IS NOT NULL;
