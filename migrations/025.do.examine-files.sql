-- What a scanner said of the content that a file has: null where it was not asked. The content can be read while this is
-- null, 'clean', 'passed' or 'released'. 'held': nobody could look at it, so an admin must.
ALTER TABLE files
  ADD COLUMN scan text
    CONSTRAINT files_scan_known CHECK (scan IN ('waiting', 'clean', 'passed', 'held', 'infected', 'released')),
  -- The name of what was found, or why it was not looked for.
  ADD COLUMN scan_finding text CONSTRAINT files_scan_finding_length CHECK (char_length(scan_finding) BETWEEN 1 AND 200),
  ADD COLUMN scan_attempts smallint NOT NULL DEFAULT 0,
  ADD COLUMN scanned_at timestamptz(3);
CREATE INDEX files_scan_waiting_idx ON files (scan_attempts, written_at) WHERE scan = 'waiting';
CREATE INDEX files_quarantined_idx ON files (id DESC) WHERE scan IN ('held', 'infected');

-- What was said of one content is never said of another: also not of one that an older version of the service writes.
CREATE FUNCTION forget_scan() RETURNS trigger
  LANGUAGE plpgsql
AS $$
BEGIN
  NEW.scan := CASE WHEN NEW.scan IS NOT NULL THEN 'waiting' END;
  NEW.scan_finding := NULL;
  NEW.scan_attempts := 0;
  NEW.scanned_at := NULL;
  RETURN NEW;
END
$$;

CREATE TRIGGER files_forget_scan BEFORE UPDATE OF key ON files
  FOR EACH ROW WHEN (OLD.key IS DISTINCT FROM NEW.key) EXECUTE FUNCTION forget_scan();

-- Bytes that a user or organization may have; null for the service's own limit.
ALTER TABLE storage_usage
  ADD COLUMN max_bytes bigint CONSTRAINT storage_usage_max_bytes_positive CHECK (max_bytes >= 0);

CREATE FUNCTION forget_storage_limit() RETURNS trigger
  LANGUAGE plpgsql
AS $$
BEGIN
  UPDATE storage_usage SET max_bytes = NULL WHERE space_id = OLD.id AND max_bytes IS NOT NULL;
  RETURN NULL;
END
$$;

CREATE TRIGGER users_forget_storage_limit AFTER DELETE ON users
  FOR EACH ROW EXECUTE FUNCTION forget_storage_limit();
CREATE TRIGGER organizations_forget_storage_limit AFTER DELETE ON organizations
  FOR EACH ROW EXECUTE FUNCTION forget_storage_limit();
