-- Case is folded by ICU's root locale, so that it never depends on the database's own locale.
-- It is a function so that constraints and queries can't drift apart.
CREATE FUNCTION case_fold(value text) RETURNS text
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  RETURN lower(value COLLATE "und-x-icu");

-- updated_at is the row's version (ETag), so it must grow with every update, even within a millisecond.
CREATE FUNCTION touch_updated_at() RETURNS trigger
  LANGUAGE plpgsql
AS $$
BEGIN
  NEW.updated_at := greatest(clock_timestamp()::timestamptz(3), OLD.updated_at + interval '1 millisecond');
  RETURN NEW;
END
$$;

CREATE TABLE users (
  id            uuid           NOT NULL CONSTRAINT users_pkey PRIMARY KEY,
  email         text           NOT NULL CONSTRAINT users_email_length CHECK (char_length(email) BETWEEN 3 AND 254),
  username      text           NOT NULL CONSTRAINT users_username_format
                               CHECK (username ~ '^[A-Za-z0-9][A-Za-z0-9._-]{1,48}[A-Za-z0-9]$'),
  password_hash text           NOT NULL CONSTRAINT users_password_hash_format CHECK (password_hash LIKE '$argon2id$%'),
  role          text           NOT NULL DEFAULT 'user' CONSTRAINT users_role_known CHECK (role IN ('user', 'admin')),
  is_active     boolean        NOT NULL DEFAULT true,
  created_at    timestamptz(3) NOT NULL DEFAULT now(),
  updated_at    timestamptz(3) NOT NULL DEFAULT now()
);

-- One index each for uniqueness without regard to case, for the look-up and for the list's prefix search.
CREATE UNIQUE INDEX users_email_key ON users (case_fold(email) text_pattern_ops);
CREATE UNIQUE INDEX users_username_key ON users (case_fold(username) text_pattern_ops);

-- The list is newest first by id (UUIDv7), within a role or a state when it is filtered.
CREATE INDEX users_role_id_idx ON users (role, id DESC);
CREATE INDEX users_is_active_id_idx ON users (is_active, id DESC);

CREATE TRIGGER users_touch_updated_at BEFORE UPDATE ON users
  FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
