-- Where an organization wants to hear of its events. Secrets are encrypted (encryption.keys).
CREATE TABLE webhook_endpoints (
  org_id                     uuid           NOT NULL CONSTRAINT webhook_endpoints_org_id_fkey
                             REFERENCES organizations ON DELETE CASCADE,
  id                         uuid           NOT NULL,
  url                        text           NOT NULL CONSTRAINT webhook_endpoints_url_length
                             CHECK (char_length(url) BETWEEN 1 AND 2048),
  description                text           NOT NULL CONSTRAINT webhook_endpoints_description_length
                             CHECK (char_length(description) <= 500),
  -- `projects.created`, `projects.*`, `*`.
  event_types                text[]         NOT NULL CONSTRAINT webhook_endpoints_event_types_some
                             CHECK (cardinality(event_types) BETWEEN 1 AND 50),
  secret                     bytea          NOT NULL,
  -- Signs too until it expires.
  previous_secret            bytea,
  previous_secret_expires_at timestamptz(3),
  disabled_reason            text           CONSTRAINT webhook_endpoints_disabled_reason_known
                             CHECK (disabled_reason IN ('requested', 'gone', 'failing')),
  -- Since the last success.
  first_failed_at            timestamptz(3),
  failed_attempts            integer        NOT NULL DEFAULT 0,
  warned_at                  timestamptz(3),
  -- Its last attempt failed or took long: it waits in a lane of its own, where it holds up nobody else.
  is_slow                    boolean        NOT NULL DEFAULT false,
  created_at                 timestamptz(3) NOT NULL DEFAULT now(),
  updated_at                 timestamptz(3) NOT NULL DEFAULT now(),
  CONSTRAINT webhook_endpoints_pkey PRIMARY KEY (org_id, id)
);

-- An event for an endpoint. Deleting the endpoint deletes, and so cancels, its deliveries.
CREATE TABLE webhook_deliveries (
  org_id          uuid           NOT NULL CONSTRAINT webhook_deliveries_org_id_fkey
                  REFERENCES organizations ON DELETE CASCADE,
  id              uuid           NOT NULL,
  endpoint_id     uuid           NOT NULL,
  -- What receivers tell messages apart by.
  event_id        uuid           NOT NULL,
  event_type      text           NOT NULL,
  -- The very text that is signed and sent.
  body            text           NOT NULL,
  state           text           NOT NULL CONSTRAINT webhook_deliveries_state_known
                  CHECK (state IN ('pending', 'delivered', 'failed', 'skipped')),
  attempts        integer        NOT NULL DEFAULT 0,
  -- Attempts that there were when it was sent again by request: from there on the schedule begins again.
  attempts_before integer        NOT NULL DEFAULT 0,
  next_attempt_at timestamptz(3),
  created_at      timestamptz(3) NOT NULL DEFAULT now(),
  CONSTRAINT webhook_deliveries_pkey PRIMARY KEY (org_id, id),
  CONSTRAINT webhook_deliveries_endpoint_id_fkey FOREIGN KEY (org_id, endpoint_id)
    REFERENCES webhook_endpoints (org_id, id) ON DELETE CASCADE,
  CONSTRAINT webhook_deliveries_event_key UNIQUE (org_id, endpoint_id, event_id)
);
CREATE INDEX webhook_deliveries_endpoint_id_idx ON webhook_deliveries (org_id, endpoint_id, id DESC);
CREATE INDEX webhook_deliveries_created_at_idx ON webhook_deliveries (created_at);

CREATE TABLE webhook_attempts (
  org_id       uuid           NOT NULL CONSTRAINT webhook_attempts_org_id_fkey
               REFERENCES organizations ON DELETE CASCADE,
  delivery_id  uuid           NOT NULL,
  number       integer        NOT NULL,
  attempted_at timestamptz(3) NOT NULL,
  duration_ms  integer        NOT NULL,
  -- Of the answer, or else the error.
  status       smallint,
  error        text,
  excerpt      text           CONSTRAINT webhook_attempts_excerpt_length CHECK (octet_length(excerpt) <= 4096),
  CONSTRAINT webhook_attempts_pkey PRIMARY KEY (org_id, delivery_id, number),
  CONSTRAINT webhook_attempts_delivery_id_fkey FOREIGN KEY (org_id, delivery_id)
    REFERENCES webhook_deliveries (org_id, id) ON DELETE CASCADE
);
CREATE INDEX webhook_attempts_attempted_at_idx ON webhook_attempts (attempted_at);

SELECT protect_tenant_table('webhook_endpoints');
SELECT protect_tenant_table('webhook_deliveries');
SELECT protect_tenant_table('webhook_attempts');

-- Not for what attempts change.
CREATE TRIGGER webhook_endpoints_touch_updated_at
  BEFORE UPDATE OF url, description, event_types, previous_secret_expires_at, disabled_reason ON webhook_endpoints
  FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
