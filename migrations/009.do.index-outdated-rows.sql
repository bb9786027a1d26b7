-- What the cleanups look for; nobody looks for a session's expires_at alone.
DROP INDEX sessions_expires_at_idx;
CREATE INDEX sessions_outdated_idx ON sessions (least(ended_at, idle_expires_at, expires_at));

CREATE INDEX rate_limits_expires_at_idx ON rate_limits (expires_at);
