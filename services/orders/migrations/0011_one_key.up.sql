-- A record is found by its event and service; nobody asks for it by its number, and each message would pay for that index.
ALTER TABLE idempotency_records DROP CONSTRAINT idempotency_records_pkey;

-- A saga and its order carry the same correlation id, which is the order's alone; the order's index finds both.
ALTER TABLE saga_states DROP CONSTRAINT saga_states_correlation_id_key;
