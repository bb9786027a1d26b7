-- Events wait here for those who pass them on: the outbox, written by the transactions that change the data. There is no
-- foreign key to the organization: that it was deleted is an event too, and every write would lock its row.
CREATE TABLE events (
  id            uuid           NOT NULL CONSTRAINT events_pkey PRIMARY KEY,
  -- Null for what happens to people and to the service as a whole.
  org_id        uuid,
  type          text           NOT NULL,
  version       smallint       NOT NULL,
  subject_type  text           NOT NULL,
  subject_id    uuid           NOT NULL,
  actor_kind    text           NOT NULL CONSTRAINT events_actor_kind_known
                CHECK (actor_kind IN ('user', 'admin', 'api_key', 'anonymous', 'system')),
  actor_id      uuid,
  request_id    text,
  -- JSON, kept as text: what is signed and sent is these very bytes.
  data          text           NOT NULL,
  occurred_at   timestamptz(3) NOT NULL DEFAULT now(),
  -- When each sink took the event; null while it waits. They are claimed by this state and never by position, so that
  -- one whose transaction commits late is not passed over.
  fanned_out_at timestamptz(3),
  broker_at     timestamptz(3)
)
-- Rows are changed once or twice and deleted in bulk.
WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_insert_scale_factor = 0.2);

CREATE INDEX events_fanned_out_idx ON events (id) WHERE fanned_out_at IS NULL;
CREATE INDEX events_broker_idx ON events (id) WHERE broker_at IS NULL;

SELECT protect_tenant_table('events');
-- Any work may tell what happened to people; only the system reads it.
CREATE POLICY platform ON events FOR INSERT WITH CHECK (org_id IS NULL);
