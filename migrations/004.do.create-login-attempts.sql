-- Wrong passwords by what they are counted for: an account or a client address.
CREATE TABLE login_attempts (
  subject    text           NOT NULL CONSTRAINT login_attempts_pkey PRIMARY KEY,
  failures   integer        NOT NULL,
  expires_at timestamptz(3) NOT NULL
);

CREATE INDEX login_attempts_expires_at_idx ON login_attempts (expires_at);
