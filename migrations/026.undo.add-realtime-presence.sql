DROP TABLE realtime_presence, realtime_nodes;
DELETE FROM realtime_messages WHERE position IS NULL;
ALTER TABLE realtime_messages ALTER COLUMN position SET NOT NULL;
