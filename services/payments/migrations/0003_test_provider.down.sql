DROP TABLE test_provider_refunds;
DROP TABLE test_provider_charges;
