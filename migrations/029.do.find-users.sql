-- Admins find people by a part of their address or name. The pieces of three characters of both are indexed, by what every
-- PostgreSQL has (decision 092). Writes of users wait while the index is built, about a minute for a million of them.
CREATE FUNCTION text_trigrams(value text) RETURNS text[]
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  RETURN ARRAY (SELECT DISTINCT substr(value, place, 3) FROM generate_series(1, length(value) - 2) AS place);

CREATE INDEX users_trigrams_idx ON users
  USING gin (text_trigrams(case_fold(email) || ' ' || case_fold(username)));

-- Sessions in which an admin acts as somebody else. The time of their end is that of the session.
ALTER TABLE sessions
  ADD COLUMN impersonator_id uuid CONSTRAINT sessions_impersonator_id_fkey REFERENCES users ON DELETE CASCADE,
  ADD COLUMN impersonation_reason text CONSTRAINT sessions_impersonation_reason_length
    CHECK (char_length(impersonation_reason) <= 500);
CREATE INDEX sessions_impersonator_id_idx ON sessions (impersonator_id, id DESC) WHERE impersonator_id IS NOT NULL;
CREATE INDEX sessions_impersonations_idx ON sessions (id DESC) WHERE impersonator_id IS NOT NULL;

-- Events of such a session name both.
ALTER TABLE events ADD COLUMN impersonator_id uuid;
