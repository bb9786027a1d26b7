-- A row of `storage_usage` changes with every file of a user or organization. While an index had its numbers, each change
-- wrote an entry to every index; without one it stays on its page, where there is room for the next version.
DROP INDEX storage_usage_unused_idx;
ALTER TABLE storage_usage SET (fillfactor = 50);

-- What the index was for: rows that say nothing. They go with the last object.
CREATE OR REPLACE FUNCTION release_storage() RETURNS trigger
  LANGUAGE plpgsql
AS $$
DECLARE
  released bigint := CASE WHEN OLD.state = 'doomed' THEN 0 ELSE OLD.bytes END;
  is_unused boolean;
BEGIN
  IF TG_OP = 'UPDATE' AND NEW.state <> 'doomed' THEN
    released := released - NEW.bytes;
  END IF;
  IF released > 0 THEN
    UPDATE storage_usage SET bytes = bytes - released, updated_at = now() WHERE space_id = OLD.space_id
      RETURNING bytes = 0 AND max_bytes IS NULL INTO is_unused;
    IF is_unused THEN
      DELETE FROM storage_usage WHERE space_id = OLD.space_id;
    END IF;
  END IF;
  RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION forget_storage_limit() RETURNS trigger
  LANGUAGE plpgsql
AS $$
BEGIN
  DELETE FROM storage_usage WHERE space_id = OLD.id AND bytes = 0;
  UPDATE storage_usage SET max_bytes = NULL WHERE space_id = OLD.id AND max_bytes IS NOT NULL;
  RETURN NULL;
END
$$;

DELETE FROM storage_usage WHERE bytes = 0 AND max_bytes IS NULL;
