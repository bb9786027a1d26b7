-- Accounts that wait for their address to be confirmed. They are apart from users, so that nobody can hold an
-- address or a name that is not theirs, and so that registering looks the same whether or not the address is
-- known.
CREATE TABLE registrations (
  id            uuid           NOT NULL CONSTRAINT registrations_pkey PRIMARY KEY,
  digest        bytea          NOT NULL CONSTRAINT registrations_digest_key UNIQUE,
  email         text           NOT NULL,
  username      text           NOT NULL,
  password_hash text           NOT NULL,
  created_at    timestamptz(3) NOT NULL DEFAULT now(),
  expires_at    timestamptz(3) NOT NULL
);

CREATE INDEX registrations_email_idx ON registrations (case_fold(email), created_at DESC);
CREATE INDEX registrations_expires_at_idx ON registrations (expires_at);

-- Invited users have no password until they choose one.
ALTER TABLE users ALTER COLUMN password_hash DROP NOT NULL;
