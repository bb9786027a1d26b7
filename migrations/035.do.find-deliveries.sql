-- no transaction
-- People and `recover` look for what was not delivered, among all that was.
CREATE INDEX CONCURRENTLY webhook_deliveries_state_idx ON webhook_deliveries (org_id, endpoint_id, state, id DESC);
