-- The sealer of the version before chains what it finds in `audit_pending`.
INSERT INTO audit_entries (org_id, id, at, actor_kind, actor_id, action, target_type, target_id, outcome, request_id,
                           details, personal_commitment, mac)
  SELECT org_id, id, at, actor_kind, actor_id, action, target_type, target_id, outcome, request_id, details,
         personal_commitment, mac
  FROM audit_intake;
INSERT INTO audit_personal (org_id, entry_id, user_id, salt, ip, user_agent)
  SELECT org_id, id, user_id, salt, ip, user_agent FROM audit_intake WHERE salt IS NOT NULL;
INSERT INTO audit_pending (org_id, entry_id) SELECT org_id, id FROM audit_intake;
DROP TABLE audit_intake;
-- What is there is not looked at: it would stop writes for as long as that takes.
ALTER TABLE events ADD CONSTRAINT events_actor_kind_known
  CHECK (actor_kind IN ('user', 'admin', 'api_key', 'anonymous', 'system')) NOT VALID;
ALTER TABLE audit_entries ADD CONSTRAINT audit_entries_actor_kind_known
  CHECK (actor_kind IN ('user', 'admin', 'api_key', 'anonymous', 'system')) NOT VALID;
ALTER TABLE audit_entries ADD CONSTRAINT audit_entries_outcome_known
  CHECK (outcome IN ('succeeded', 'denied')) NOT VALID;
