-- Who listens to a channel now. Unlogged as all of realtime: after a crash of PostgreSQL each process writes again who is
-- there with it.
CREATE UNLOGGED TABLE realtime_nodes (
  id      uuid           NOT NULL CONSTRAINT realtime_nodes_pkey PRIMARY KEY,
  -- A process that does not say for some seconds that it lives is gone, and so are its listeners.
  seen_at timestamptz(3) NOT NULL DEFAULT clock_timestamp()
);

CREATE UNLOGGED TABLE realtime_presence (
  -- Null for channels of people.
  org_id    uuid,
  channel   text           NOT NULL,
  client_id uuid           NOT NULL,
  -- A user's id, or `api_key:` and that of a key.
  caller    text           NOT NULL,
  -- The reference refuses rows of a process that others have declared gone, which then begins again.
  node_id   uuid           NOT NULL CONSTRAINT realtime_presence_node_id_fkey REFERENCES realtime_nodes,
  since     timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  -- When somebody whose connection was lost is gone, unless it is null.
  leaves_at timestamptz(3),
  CONSTRAINT realtime_presence_pkey PRIMARY KEY (channel, client_id)
);
CREATE INDEX realtime_presence_node_id_idx ON realtime_presence (node_id);
CREATE INDEX realtime_presence_leaves_at_idx ON realtime_presence (leaves_at) WHERE leaves_at IS NOT NULL;
SELECT protect_tenant_table('realtime_presence');

-- Who comes and goes is told in one order with the messages, but not counted by the channel and not told again.
ALTER TABLE realtime_messages ALTER COLUMN position DROP NOT NULL;
