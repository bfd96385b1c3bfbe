ALTER TABLE saga_states ADD CONSTRAINT saga_states_correlation_id_key UNIQUE (correlation_id);
