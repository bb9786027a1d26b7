DROP TRIGGER users_notify_identity ON users;
DROP TABLE refresh_tokens;
DROP TABLE sessions;
DROP FUNCTION notify_identity();
ALTER TABLE users DROP COLUMN email_verified_at;
