-- A webhook may have a million deliveries, which no single statement can delete. One that is deleted is gone for its
-- organization at once; a job deletes what it had, and then the row.
ALTER TABLE webhook_endpoints ADD COLUMN deleted_at timestamptz(3);
