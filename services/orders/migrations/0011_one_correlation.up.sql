-- A saga and its order carry the same correlation id, which is the order's alone; the order's index finds both.
ALTER TABLE saga_states DROP CONSTRAINT saga_states_correlation_id_key;
