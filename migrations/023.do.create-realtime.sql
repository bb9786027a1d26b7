-- When realtime took the event. Events that are there already were never to be told live.
ALTER TABLE events ADD COLUMN realtime_at timestamptz(3) DEFAULT now();
ALTER TABLE events ALTER COLUMN realtime_at DROP DEFAULT;
CREATE INDEX events_realtime_idx ON events (id) WHERE realtime_at IS NULL;

-- What realtime tells its clients. The tables are unlogged: a crash of PostgreSQL, a standby that takes over and a restored
-- backup all begin with empty ones, and so with another epoch, by which clients know that they have to load again.
CREATE UNLOGGED TABLE realtime_state (
  is_only  boolean NOT NULL DEFAULT true CONSTRAINT realtime_state_pkey PRIMARY KEY
           CONSTRAINT realtime_state_one_row CHECK (is_only),
  epoch    uuid    NOT NULL DEFAULT gen_random_uuid(),
  -- Number of the last message, in the order in which messages became visible.
  last_seq bigint  NOT NULL DEFAULT 0
);

CREATE UNLOGGED TABLE realtime_channels (
  -- Null for channels of people.
  org_id     uuid,
  name       text           NOT NULL CONSTRAINT realtime_channels_pkey PRIMARY KEY,
  -- Offset of the channel's last message; never above the number of that message, so that a channel that was forgotten
  -- and comes again does not repeat an offset.
  top_offset bigint         NOT NULL,
  touched_at timestamptz(3) NOT NULL DEFAULT now()
);
CREATE INDEX realtime_channels_touched_at_idx ON realtime_channels (touched_at);

CREATE UNLOGGED TABLE realtime_messages (
  org_id       uuid,
  seq          bigint         NOT NULL CONSTRAINT realtime_messages_pkey PRIMARY KEY,
  channel      text           NOT NULL,
  -- Counts the messages of the channel without a gap.
  position     bigint         NOT NULL,
  -- JSON, as it is sent.
  data         text           NOT NULL,
  published_at timestamptz(3) NOT NULL DEFAULT now(),
  CONSTRAINT realtime_messages_position_key UNIQUE (channel, position)
);
CREATE INDEX realtime_messages_published_at_idx ON realtime_messages (published_at);

SELECT protect_tenant_table('realtime_channels');
SELECT protect_tenant_table('realtime_messages');
