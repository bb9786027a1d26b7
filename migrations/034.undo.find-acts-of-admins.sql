-- no transaction
DROP INDEX CONCURRENTLY audit_entries_admin_idx;
