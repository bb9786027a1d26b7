DROP INDEX webhook_endpoints_failing_idx;
ALTER TABLE organizations DROP COLUMN purge_requested_at;
