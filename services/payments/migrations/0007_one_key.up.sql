-- A record is found by its event and service; nobody asks for it by its number, and each message would pay for that index.
ALTER TABLE idempotency_records DROP CONSTRAINT idempotency_records_pkey;
