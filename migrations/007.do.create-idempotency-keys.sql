-- Answers to requests that created something, for clients that ask again under the same Idempotency-Key. What
-- they sent is not here, only a keyed digest of it.
CREATE TABLE idempotency_keys (
  -- Digest of the operation, the user and the key.
  id          bytea          NOT NULL CONSTRAINT idempotency_keys_pkey PRIMARY KEY,
  fingerprint bytea          NOT NULL,
  -- Null only inside the transaction that does the work.
  status      smallint,
  location    text,
  etag        text,
  body        text,
  created_at  timestamptz(3) NOT NULL DEFAULT now(),
  expires_at  timestamptz(3) NOT NULL
);

CREATE INDEX idempotency_keys_expires_at_idx ON idempotency_keys (expires_at);
