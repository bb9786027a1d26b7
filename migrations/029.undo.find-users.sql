ALTER TABLE events DROP COLUMN impersonator_id;
ALTER TABLE sessions DROP COLUMN impersonation_reason, DROP COLUMN impersonator_id;
DROP INDEX users_trigrams_idx;
DROP FUNCTION text_trigrams(text);
