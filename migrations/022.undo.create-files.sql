DROP TABLE files, stored_objects, storage_usage;
DROP FUNCTION doom_stored_object, release_storage;
