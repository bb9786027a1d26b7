-- Smaller copies of images, each an object of its own. They belong to the object that they were made of, and so have its
-- content for good; not of organizations, as the objects themselves.
CREATE TABLE object_variants (
  key         text           NOT NULL CONSTRAINT object_variants_key_fkey REFERENCES stored_objects ON DELETE CASCADE,
  name        text           NOT NULL CONSTRAINT object_variants_name_length CHECK (char_length(name) BETWEEN 1 AND 50),
  state       text           NOT NULL CONSTRAINT object_variants_state_known CHECK (state IN ('making', 'made', 'impossible')),
  variant_key text           CONSTRAINT object_variants_variant_key_fkey REFERENCES stored_objects ON DELETE CASCADE,
  media_type  text,
  size        bigint         CONSTRAINT object_variants_size_positive CHECK (size >= 0),
  sha256      bytea          CONSTRAINT object_variants_sha256_length CHECK (octet_length(sha256) = 32),
  -- When it was asked for, or was made.
  updated_at  timestamptz(3) NOT NULL DEFAULT now(),
  CONSTRAINT object_variants_pkey PRIMARY KEY (key, name),
  CONSTRAINT object_variants_made CHECK (
    num_nonnulls(variant_key, media_type, size, sha256) = CASE state WHEN 'made' THEN 4 ELSE 0 END)
);
CREATE INDEX object_variants_variant_key_idx ON object_variants (variant_key) WHERE variant_key IS NOT NULL;

-- They end with the object, in the same transaction, whatever ends it.
CREATE FUNCTION doom_variants() RETURNS trigger
  LANGUAGE plpgsql
AS $$
BEGIN
  UPDATE stored_objects SET state = 'doomed', expires_at = now()
  WHERE key IN (SELECT variant_key FROM object_variants WHERE key = NEW.key) AND state <> 'doomed';
  RETURN NULL;
END
$$;

CREATE TRIGGER stored_objects_doom_variants AFTER UPDATE OF state ON stored_objects
  FOR EACH ROW WHEN (OLD.state <> 'doomed' AND NEW.state = 'doomed') EXECUTE FUNCTION doom_variants();
