-- Keys with which programs work in an organization. Only SHA-256 digests: a key holds 256 random bits, which need no slow
-- hash.
CREATE TABLE api_keys (
  org_id           uuid           NOT NULL CONSTRAINT api_keys_org_id_fkey REFERENCES organizations ON DELETE CASCADE,
  id               uuid           NOT NULL,
  name             text           NOT NULL CONSTRAINT api_keys_name_length CHECK (char_length(name) BETWEEN 1 AND 100),
  digest           bytea          NOT NULL CONSTRAINT api_keys_digest_length CHECK (octet_length(digest) = 32),
  hint             text           NOT NULL CONSTRAINT api_keys_hint_length CHECK (char_length(hint) = 4),
  scopes           text[]         NOT NULL CONSTRAINT api_keys_scopes_some CHECK (cardinality(scopes) > 0),
  -- Empty for every network.
  allowed_networks cidr[]         NOT NULL DEFAULT '{}',
  -- The key outlives its creator: it is the organization's.
  created_by       uuid           CONSTRAINT api_keys_created_by_fkey REFERENCES users ON DELETE SET NULL,
  created_at       timestamptz(3) NOT NULL DEFAULT now(),
  updated_at       timestamptz(3) NOT NULL DEFAULT now(),
  expires_at       timestamptz(3) NOT NULL,
  disabled_at      timestamptz(3),
  revoked_at       timestamptz(3),
  -- The key that a rotation put in its place. No foreign key: either may be deleted before the other.
  replaced_by      uuid,
  -- A minute late at most, and no change of the key: it has a version of its own for that.
  last_used_at     timestamptz(3),
  last_used_ip     inet,
  CONSTRAINT api_keys_pkey PRIMARY KEY (org_id, id)
);
CREATE INDEX api_keys_created_by_idx ON api_keys (created_by) WHERE created_by IS NOT NULL;
CREATE INDEX api_keys_ended_idx ON api_keys (least(expires_at, revoked_at));

SELECT protect_tenant_table('api_keys');

CREATE TRIGGER api_keys_touch_updated_at
  BEFORE UPDATE OF name, scopes, allowed_networks, expires_at, disabled_at, revoked_at, replaced_by ON api_keys
  FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

-- Instances keep keys in memory; this tells them what to forget, over the channel of identities. Not of a use.
CREATE FUNCTION notify_api_key() RETURNS trigger
  LANGUAGE plpgsql
AS $$
BEGIN
  PERFORM pg_notify('identity', 'api_key:' || OLD.org_id || ':' || OLD.id);
  RETURN NULL;
END
$$;

CREATE TRIGGER api_keys_notify_changed
  AFTER UPDATE OF digest, name, scopes, allowed_networks, expires_at, disabled_at, revoked_at ON api_keys
  FOR EACH ROW EXECUTE FUNCTION notify_api_key();
CREATE TRIGGER api_keys_notify_deleted AFTER DELETE ON api_keys
  FOR EACH ROW EXECUTE FUNCTION notify_api_key();

-- Which key an event is about.
ALTER TABLE security_events ADD COLUMN api_key_id uuid;
