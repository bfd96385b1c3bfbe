-- The oldest messages of a queue are found by walking its index in order. Such a walk marks entries of messages that are
-- gone, and the next one steps over them; a bitmap of the queue marks nothing, and visits the page of every message that
-- was taken since the last vacuum, each time.
ALTER FUNCTION take(text, integer) SET enable_bitmapscan = off;
ALTER FUNCTION receive(text, integer, uuid, float8) SET enable_bitmapscan = off;
ALTER FUNCTION ack(text, bigint[], uuid) SET enable_bitmapscan = off;
ALTER FUNCTION release(text, uuid) SET enable_bitmapscan = off;
ALTER FUNCTION drain(text, integer) SET enable_bitmapscan = off;
