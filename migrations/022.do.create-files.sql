-- Whatever the store of objects has or may have: a row comes before the first byte, and goes after the last. So bytes
-- that no row names are nobody's. Not of organizations: the keys are random, and say nothing of what they name.
CREATE TABLE stored_objects (
  key        text           NOT NULL CONSTRAINT stored_objects_pkey PRIMARY KEY
                            CONSTRAINT stored_objects_key_format CHECK (key ~ '^[0-9a-f]{32}$'),
  store      text           NOT NULL CONSTRAINT stored_objects_store_known CHECK (store IN ('local', 's3')),
  -- The user or organization that it counts for.
  space_id   uuid           NOT NULL,
  -- Bytes that it counts for: while it is written, as many as it may get.
  bytes      bigint         NOT NULL CONSTRAINT stored_objects_bytes_positive CHECK (bytes >= 0),
  -- 'writing': it may be removed when `expires_at` is over. 'kept': a file has it. 'doomed': it may be removed.
  state      text           NOT NULL CONSTRAINT stored_objects_state_known CHECK (state IN ('writing', 'kept', 'doomed')),
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  expires_at timestamptz(3) NOT NULL
);
CREATE INDEX stored_objects_removable_idx ON stored_objects (expires_at) WHERE state <> 'kept';
CREATE INDEX stored_objects_space_idx ON stored_objects (space_id);

-- Bytes of the objects of a user or organization, those that are doomed not counted. Not of organizations: users have rows
-- too, and a trigger must find them at every deletion.
CREATE TABLE storage_usage (
  space_id   uuid           NOT NULL CONSTRAINT storage_usage_pkey PRIMARY KEY,
  bytes      bigint         NOT NULL CONSTRAINT storage_usage_bytes_positive CHECK (bytes >= 0),
  updated_at timestamptz(3) NOT NULL DEFAULT now()
);
CREATE INDEX storage_usage_unused_idx ON storage_usage (updated_at) WHERE bytes = 0;

-- Space is taken by the statement that checks the limit, and given back here, whatever it is that ends an object.
CREATE FUNCTION release_storage() RETURNS trigger
  LANGUAGE plpgsql
AS $$
DECLARE
  released bigint := CASE WHEN OLD.state = 'doomed' THEN 0 ELSE OLD.bytes END;
BEGIN
  IF TG_OP = 'UPDATE' AND NEW.state <> 'doomed' THEN
    released := released - NEW.bytes;
  END IF;
  IF released > 0 THEN
    UPDATE storage_usage SET bytes = bytes - released, updated_at = now() WHERE space_id = OLD.space_id;
  END IF;
  RETURN NULL;
END
$$;

CREATE TRIGGER stored_objects_release AFTER DELETE OR UPDATE OF bytes, state ON stored_objects
  FOR EACH ROW EXECUTE FUNCTION release_storage();

-- Files of users and of organizations: each is one's or the other's, and `space_id` says whose.
CREATE TABLE files (
  space_id   uuid           NOT NULL,
  id         uuid           NOT NULL,
  org_id     uuid           CONSTRAINT files_org_id_fkey REFERENCES organizations ON DELETE CASCADE,
  user_id    uuid           CONSTRAINT files_user_id_fkey REFERENCES users ON DELETE CASCADE,
  -- An organization's file outlives who brought it.
  created_by uuid           CONSTRAINT files_created_by_fkey REFERENCES users ON DELETE SET NULL,
  purpose    text           NOT NULL CONSTRAINT files_purpose_length CHECK (char_length(purpose) BETWEEN 1 AND 50),
  name       text           NOT NULL CONSTRAINT files_name_length CHECK (char_length(name) BETWEEN 1 AND 255),
  -- These are null until the file has content.
  key        text           CONSTRAINT files_key_fkey REFERENCES stored_objects,
  media_type text,
  size       bigint         CONSTRAINT files_size_positive CHECK (size >= 0),
  sha256     bytea          CONSTRAINT files_sha256_length CHECK (octet_length(sha256) = 32),
  written_at timestamptz(3),
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  updated_at timestamptz(3) NOT NULL DEFAULT now(),
  -- When it went to the trash.
  deleted_at timestamptz(3),
  -- When its row is deleted: it is in the trash, or has had no content for long.
  purge_at   timestamptz(3),
  CONSTRAINT files_pkey PRIMARY KEY (space_id, id),
  CONSTRAINT files_space CHECK (num_nonnulls(org_id, user_id) = 1 AND space_id = coalesce(org_id, user_id)),
  CONSTRAINT files_content CHECK (num_nonnulls(key, media_type, size, sha256, written_at) IN (0, 5))
);
CREATE INDEX files_list_idx ON files (space_id, (deleted_at IS NOT NULL), id DESC);
CREATE INDEX files_empty_idx ON files (space_id) WHERE key IS NULL;
CREATE INDEX files_org_id_idx ON files (org_id) WHERE org_id IS NOT NULL;
CREATE INDEX files_user_id_idx ON files (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX files_created_by_idx ON files (created_by) WHERE created_by IS NOT NULL;
CREATE INDEX files_key_idx ON files (key) WHERE key IS NOT NULL;
CREATE INDEX files_purge_at_idx ON files (purge_at) WHERE purge_at IS NOT NULL;
-- A user has one avatar.
CREATE UNIQUE INDEX files_avatar_key ON files (space_id) WHERE purpose = 'avatar' AND deleted_at IS NULL;

SELECT protect_tenant_table('files', 'space_id');

-- People's own files, while no organization is chosen.
CREATE POLICY own ON files
  USING ((SELECT current_org()) IS NULL AND space_id = (SELECT current_app_user()));

CREATE TRIGGER files_touch_updated_at BEFORE UPDATE ON files
  FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

-- Bytes follow their file in the same transaction, however it is deleted: a request, the cleanup, the end of an organization
-- or account, or SQL by hand.
CREATE FUNCTION doom_stored_object() RETURNS trigger
  LANGUAGE plpgsql
AS $$
BEGIN
  UPDATE stored_objects SET state = 'doomed', expires_at = now() WHERE key = OLD.key;
  RETURN NULL;
END
$$;

CREATE TRIGGER files_doom_object AFTER DELETE ON files
  FOR EACH ROW WHEN (OLD.key IS NOT NULL) EXECUTE FUNCTION doom_stored_object();
CREATE TRIGGER files_doom_replaced_object AFTER UPDATE OF key ON files
  FOR EACH ROW WHEN (OLD.key IS NOT NULL AND OLD.key IS DISTINCT FROM NEW.key) EXECUTE FUNCTION doom_stored_object();
