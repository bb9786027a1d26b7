-- Entries of the audit log are written here, with their personal data and without the indexes of searches: one row in
-- place of three, in the transaction of what they tell. The sealer moves them to `audit_entries` and `audit_personal`
-- when it chains them (decision 120). `audit_pending` is left for entries that it refuses, and for what versions before
-- this one write.
CREATE TABLE audit_intake (
  org_id              uuid           NOT NULL,
  id                  uuid           NOT NULL,
  at                  timestamptz(3) NOT NULL,
  actor_kind          text           NOT NULL,
  actor_id            text,
  action              text           NOT NULL,
  target_type         text           NOT NULL,
  target_id           text,
  outcome             text           NOT NULL,
  request_id          text,
  details             json           NOT NULL,
  personal_commitment bytea          NOT NULL,
  mac                 bytea          NOT NULL,
  -- Null when they were erased.
  user_id             uuid,
  salt                bytea,
  ip                  text,
  user_agent          text,
  CONSTRAINT audit_intake_pkey PRIMARY KEY (org_id, id)
)
-- Each row is there for less than a second.
WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
      autovacuum_vacuum_insert_threshold = -1, autovacuum_analyze_threshold = 5000);
CREATE INDEX audit_intake_id_idx ON audit_intake (id);

SELECT protect_tenant_table('audit_intake');
CREATE POLICY platform ON audit_intake FOR INSERT WITH CHECK (org_id = '00000000-0000-0000-0000-000000000000');

-- Only the sealer takes rows away, in a transaction that says so (services/audit/queries.ts).
CREATE TRIGGER audit_intake_no_delete BEFORE DELETE ON audit_intake
  FOR EACH ROW WHEN (current_setting('app.audit_filing', true) IS DISTINCT FROM 'on')
  EXECUTE FUNCTION refuse_audit_change();
CREATE TRIGGER audit_intake_no_truncate BEFORE TRUNCATE ON audit_intake
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();
-- Personal data can be erased, and nothing can be changed.
CREATE TRIGGER audit_intake_no_update
  BEFORE UPDATE OF org_id, id, at, actor_kind, actor_id, action, target_type, target_id, outcome, request_id, details,
    personal_commitment, mac ON audit_intake
  FOR EACH ROW EXECUTE FUNCTION refuse_audit_change();
CREATE TRIGGER audit_intake_erased_only BEFORE UPDATE ON audit_intake
  FOR EACH ROW WHEN (num_nonnulls(NEW.user_id, NEW.salt, NEW.ip, NEW.user_agent) > 0)
  EXECUTE FUNCTION refuse_audit_change();

-- PostgreSQL reads the text of a check for each statement: 17 us of an event's 70. The service writes these columns from
-- closed sets; an entry that it did not write has no mac, and one that is filed must not be refused for less.
ALTER TABLE events DROP CONSTRAINT events_actor_kind_known;
ALTER TABLE audit_entries DROP CONSTRAINT audit_entries_actor_kind_known;
ALTER TABLE audit_entries DROP CONSTRAINT audit_entries_outcome_known;
