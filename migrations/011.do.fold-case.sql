-- Two texts are the same without regard to case when every casing of one is a casing of the other. Small letters alone
-- do not say so: Greek has two small sigmas, and which of them a capital becomes depends on what stands after it; German
-- sharp s is SS in capitals, Turkish dotless i is I. So texts are compared in the small letters of their capitals.
-- ASCII has the same form as before.
DO $$
DECLARE
  collisions text;
BEGIN
  SELECT string_agg(ids, '; ') INTO collisions
  FROM (
    SELECT string_agg(id::text, ', ' ORDER BY id) AS ids
    FROM users
    GROUP BY translate(lower(upper(email COLLATE "und-x-icu")), 'ς', 'σ')
    HAVING count(*) > 1
  ) AS groups;
  IF collisions IS NOT NULL THEN
    RAISE EXCEPTION 'these users have email addresses that differ in case only: %', collisions
      USING HINT = 'Change the address of all but one user of each group, then migrate again.';
  END IF;
END
$$;

-- Sessions keep an index's expression with the function's text in it, so the indexes are made again and not only built
-- again: nobody knows the new ones yet. The table can't be read meanwhile, for a second or two with a million users.
DROP INDEX users_email_key, users_username_key, registrations_email_idx;

CREATE OR REPLACE FUNCTION case_fold(value text) RETURNS text
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  RETURN translate(lower(upper(value COLLATE "und-x-icu")), 'ς', 'σ');

CREATE UNIQUE INDEX users_email_key ON users (case_fold(email) text_pattern_ops);
CREATE UNIQUE INDEX users_username_key ON users (case_fold(username) text_pattern_ops);
CREATE INDEX registrations_email_idx ON registrations (case_fold(email), created_at DESC);
