ALTER TABLE users ADD COLUMN email_verified_at timestamptz(3);

CREATE TABLE sessions (
  id              uuid           NOT NULL CONSTRAINT sessions_pkey PRIMARY KEY,
  user_id         uuid           NOT NULL CONSTRAINT sessions_user_id_fkey REFERENCES users ON DELETE CASCADE,
  user_agent      text           CONSTRAINT sessions_user_agent_length CHECK (char_length(user_agent) <= 500),
  ip              inet           NOT NULL,
  created_at      timestamptz(3) NOT NULL DEFAULT now(),
  last_used_at    timestamptz(3) NOT NULL DEFAULT now(),
  idle_expires_at timestamptz(3) NOT NULL,
  expires_at      timestamptz(3) NOT NULL,
  ended_at        timestamptz(3)
);

CREATE INDEX sessions_user_id_idx ON sessions (user_id, id DESC);
CREATE INDEX sessions_expires_at_idx ON sessions (expires_at);

-- Every refresh token that a session ever had, for as long as the session is kept, so that an old one is
-- recognised as stolen. Only SHA-256 digests: the tokens are 256 random bits, which need no slow hash.
CREATE TABLE refresh_tokens (
  digest      bytea          NOT NULL CONSTRAINT refresh_tokens_pkey PRIMARY KEY,
  session_id  uuid           NOT NULL CONSTRAINT refresh_tokens_session_id_fkey REFERENCES sessions ON DELETE CASCADE,
  created_at  timestamptz(3) NOT NULL DEFAULT now(),
  replaced_at timestamptz(3)
);

CREATE INDEX refresh_tokens_session_id_idx ON refresh_tokens (session_id);

-- Instances keep who may pass in memory; these tell them what to forget (services/identity).
CREATE FUNCTION notify_identity() RETURNS trigger
  LANGUAGE plpgsql
AS $$
BEGIN
  PERFORM pg_notify('identity', TG_ARGV[0] || ':' || OLD.id);
  RETURN NULL;
END
$$;

CREATE TRIGGER users_notify_identity AFTER UPDATE OR DELETE ON users
  FOR EACH ROW EXECUTE FUNCTION notify_identity('user');
CREATE TRIGGER sessions_notify_ended AFTER UPDATE OF ended_at ON sessions
  FOR EACH ROW EXECUTE FUNCTION notify_identity('session');
CREATE TRIGGER sessions_notify_deleted AFTER DELETE ON sessions
  FOR EACH ROW EXECUTE FUNCTION notify_identity('session');
