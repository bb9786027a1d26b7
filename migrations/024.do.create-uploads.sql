-- Objects that come in several requests, how much of each is durable, and who may add to it. Not of organizations, as the
-- objects themselves.
CREATE TABLE object_appends (
  key         text           NOT NULL CONSTRAINT object_appends_pkey PRIMARY KEY
                             CONSTRAINT object_appends_key_fkey REFERENCES stored_objects ON DELETE CASCADE,
  -- Bytes that are durable. They never become less.
  received    bigint         NOT NULL DEFAULT 0 CONSTRAINT object_appends_received_positive CHECK (received >= 0),
  -- What the store needs to go on.
  state       jsonb,
  -- Counts who asks. The newest gets the object as soon as `holder`, who was one of them, has settled, or its lease is over.
  epoch       bigint         NOT NULL DEFAULT 0,
  holder      bigint,
  lease_until timestamptz(3),
  updated_at  timestamptz(3) NOT NULL DEFAULT now(),
  CONSTRAINT object_appends_lease CHECK ((holder IS NULL) = (lease_until IS NULL))
);

-- Uploads, each of the content of one new file, whose id it has.
CREATE TABLE uploads (
  space_id   uuid           NOT NULL,
  id         uuid           NOT NULL,
  org_id     uuid           CONSTRAINT uploads_org_id_fkey REFERENCES organizations ON DELETE CASCADE,
  user_id    uuid           CONSTRAINT uploads_user_id_fkey REFERENCES users ON DELETE CASCADE,
  -- Null when the file has the object.
  key        text           CONSTRAINT uploads_key_fkey REFERENCES stored_objects ON DELETE CASCADE,
  -- Null as long as the client has not said it.
  length     bigint         CONSTRAINT uploads_length_positive CHECK (length >= 0),
  -- `Upload-Metadata` as the client sent it.
  metadata   text           CONSTRAINT uploads_metadata_length CHECK (char_length(metadata) BETWEEN 1 AND 4096),
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  expires_at timestamptz(3) NOT NULL,
  CONSTRAINT uploads_pkey PRIMARY KEY (space_id, id),
  CONSTRAINT uploads_file_fkey FOREIGN KEY (space_id, id) REFERENCES files ON DELETE CASCADE,
  CONSTRAINT uploads_space CHECK (num_nonnulls(org_id, user_id) = 1 AND space_id = coalesce(org_id, user_id)),
  CONSTRAINT uploads_finished CHECK (key IS NOT NULL OR length IS NOT NULL)
);
CREATE INDEX uploads_key_idx ON uploads (key) WHERE key IS NOT NULL;
CREATE INDEX uploads_org_id_idx ON uploads (org_id) WHERE org_id IS NOT NULL;
CREATE INDEX uploads_user_id_idx ON uploads (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX uploads_expires_at_idx ON uploads (expires_at);

SELECT protect_tenant_table('uploads', 'space_id');

-- People's own, while no organization is chosen.
CREATE POLICY own ON uploads
  USING ((SELECT current_org()) IS NULL AND space_id = (SELECT current_app_user()));

-- Bytes that no file got go with their upload, in the same transaction; they are removed when their writer has noticed.
CREATE FUNCTION doom_uploaded_object() RETURNS trigger
  LANGUAGE plpgsql
AS $$
BEGIN
  UPDATE stored_objects SET state = 'doomed', expires_at = now() + interval '1 minute' WHERE key = OLD.key;
  RETURN NULL;
END
$$;

CREATE TRIGGER uploads_doom_object AFTER DELETE ON uploads
  FOR EACH ROW WHEN (OLD.key IS NOT NULL) EXECUTE FUNCTION doom_uploaded_object();
