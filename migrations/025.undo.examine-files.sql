DROP TRIGGER users_forget_storage_limit ON users;
DROP TRIGGER organizations_forget_storage_limit ON organizations;
ALTER TABLE storage_usage DROP COLUMN max_bytes;
DROP TRIGGER files_forget_scan ON files;
ALTER TABLE files DROP COLUMN scan, DROP COLUMN scan_finding, DROP COLUMN scan_attempts, DROP COLUMN scanned_at;
DROP FUNCTION forget_storage_limit, forget_scan;
