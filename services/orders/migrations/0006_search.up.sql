-- Operators look for orders by an event's id and by time. Both columns grow nearly in the order of the rows (ids of events
-- are UUIDv7), so an index of ranges does, which costs a checkout nothing to speak of.
CREATE INDEX timeline_event ON timeline USING brin (event_id);
CREATE INDEX orders_created ON orders USING brin (created_at);
