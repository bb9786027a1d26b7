-- no transaction
-- Admins of the service see what one of them did, in the logs of all organizations.
CREATE INDEX CONCURRENTLY audit_entries_admin_idx ON audit_entries (actor_id, id DESC) WHERE actor_kind = 'admin';
