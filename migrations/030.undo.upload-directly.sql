ALTER TABLE uploads DROP COLUMN store_upload_id, DROP COLUMN completed_at;
