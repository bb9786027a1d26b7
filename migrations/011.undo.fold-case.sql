DROP INDEX users_email_key, users_username_key, registrations_email_idx;

CREATE OR REPLACE FUNCTION case_fold(value text) RETURNS text
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  RETURN lower(value COLLATE "und-x-icu");

CREATE UNIQUE INDEX users_email_key ON users (case_fold(email) text_pattern_ops);
CREATE UNIQUE INDEX users_username_key ON users (case_fold(username) text_pattern_ops);
CREATE INDEX registrations_email_idx ON registrations (case_fold(email), created_at DESC);
