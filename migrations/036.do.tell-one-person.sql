-- Who alone is told of what happened; null for everybody whose business it is. Such a row is there for realtime only: it is
-- written as one that the other sinks have taken.
ALTER TABLE events ADD COLUMN told_to uuid;
