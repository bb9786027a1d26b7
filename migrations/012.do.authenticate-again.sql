-- When the user of a session last proved who they are, and how: names of RFC 8176. Existing rows get no time, which
-- stands for `created_at`, so that no row is written: a large table would be locked for long. Instances of the version
-- before insert rows without these columns, so they have defaults, which apply to new rows only.
ALTER TABLE sessions
  ADD COLUMN authenticated_at timestamptz(3),
  ADD COLUMN methods text[] NOT NULL DEFAULT '{pwd}';
ALTER TABLE sessions ALTER COLUMN authenticated_at SET DEFAULT now();

CREATE TRIGGER sessions_notify_authenticated AFTER UPDATE OF authenticated_at ON sessions
  FOR EACH ROW EXECUTE FUNCTION notify_identity('session');
