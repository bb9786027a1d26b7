DELETE FROM webhook_endpoints WHERE deleted_at IS NOT NULL;
ALTER TABLE webhook_endpoints DROP COLUMN deleted_at;
