ALTER FUNCTION drain(text, integer) RESET enable_bitmapscan;
ALTER FUNCTION release(text, uuid) RESET enable_bitmapscan;
ALTER FUNCTION ack(text, bigint[], uuid) RESET enable_bitmapscan;
ALTER FUNCTION receive(text, integer, uuid, float8) RESET enable_bitmapscan;
ALTER FUNCTION take(text, integer) RESET enable_bitmapscan;
