CREATE OR REPLACE FUNCTION forget_storage_limit() RETURNS trigger
  LANGUAGE plpgsql
AS $$
BEGIN
  UPDATE storage_usage SET max_bytes = NULL WHERE space_id = OLD.id AND max_bytes IS NOT NULL;
  RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION release_storage() RETURNS trigger
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

ALTER TABLE storage_usage RESET (fillfactor);
CREATE INDEX storage_usage_unused_idx ON storage_usage (updated_at) WHERE bytes = 0;
