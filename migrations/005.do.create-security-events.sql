-- What a person or an operator should be able to look up later. No foreign key to the session, nor to the
-- user: what happened stays when they are gone.
CREATE TABLE security_events (
  id         uuid           NOT NULL CONSTRAINT security_events_pkey PRIMARY KEY,
  kind       text           NOT NULL,
  user_id    uuid,
  session_id uuid,
  ip         inet,
  user_agent text,
  created_at timestamptz(3) NOT NULL DEFAULT now()
);

CREATE INDEX security_events_user_id_idx ON security_events (user_id, id DESC);
