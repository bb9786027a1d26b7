-- Which processes serve now, so that each knows its share where it has to decide alone. It is of no use after a
-- crash of the server, hence unlogged.
CREATE UNLOGGED TABLE instances (
  id         uuid           NOT NULL CONSTRAINT instances_pkey PRIMARY KEY,
  version    text           NOT NULL,
  started_at timestamptz(3) NOT NULL,
  seen_at    timestamptz(3) NOT NULL
);

-- What was used of the rate limits, where there is no Redis. Unlogged for the same reason, and because nobody
-- waits for a disk this way; without an index but the key, so that updates stay within their page.
CREATE UNLOGGED TABLE rate_limits (
  subject    text           NOT NULL CONSTRAINT rate_limits_pkey PRIMARY KEY,
  points     integer        NOT NULL,
  used       integer        NOT NULL,
  granted    integer        NOT NULL,
  expires_at timestamptz(3) NOT NULL
) WITH (fillfactor = 50);
