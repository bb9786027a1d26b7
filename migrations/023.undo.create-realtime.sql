DROP TABLE realtime_messages, realtime_channels, realtime_state;
ALTER TABLE events DROP COLUMN realtime_at;
