DROP TRIGGER sessions_notify_authenticated ON sessions;
ALTER TABLE sessions DROP COLUMN authenticated_at, DROP COLUMN methods;
