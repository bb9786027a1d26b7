ALTER TABLE security_events DROP COLUMN api_key_id;
DROP TABLE api_keys;
DROP FUNCTION notify_api_key;
