-- no transaction
DROP INDEX CONCURRENTLY webhook_deliveries_state_idx;
