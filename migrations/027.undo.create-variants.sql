DROP TRIGGER stored_objects_doom_variants ON stored_objects;
-- Their bytes are removed by the job, as those of other objects.
UPDATE stored_objects SET state = 'doomed', expires_at = now()
WHERE key IN (SELECT variant_key FROM object_variants) AND state <> 'doomed';
DROP TABLE object_variants;
DROP FUNCTION doom_variants;
