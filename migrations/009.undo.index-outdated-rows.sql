DROP INDEX rate_limits_expires_at_idx;
DROP INDEX sessions_outdated_idx;
CREATE INDEX sessions_expires_at_idx ON sessions (expires_at);
