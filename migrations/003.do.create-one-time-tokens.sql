-- Tokens that are mailed as links. The token itself is derived from the id and the service's secret when the
-- mail is sent, so that neither this table nor the queue of jobs holds it.
CREATE TABLE one_time_tokens (
  id         uuid           NOT NULL CONSTRAINT one_time_tokens_pkey PRIMARY KEY,
  digest     bytea          NOT NULL CONSTRAINT one_time_tokens_digest_key UNIQUE,
  user_id    uuid           NOT NULL CONSTRAINT one_time_tokens_user_id_fkey REFERENCES users ON DELETE CASCADE,
  purpose    text           NOT NULL CONSTRAINT one_time_tokens_purpose_known
                            CHECK (purpose IN ('verify_email', 'change_email', 'reset_password', 'choose_password')),
  -- The address that a change of email waits for.
  new_email  text           CONSTRAINT one_time_tokens_new_email CHECK ((purpose = 'change_email') = (new_email IS NOT NULL)),
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  expires_at timestamptz(3) NOT NULL,
  -- A new token voids the old: there is one of each purpose for a user.
  CONSTRAINT one_time_tokens_user_id_purpose_key UNIQUE (user_id, purpose)
);

CREATE INDEX one_time_tokens_expires_at_idx ON one_time_tokens (expires_at);
