-- The audit log (docs/audit-log.md): who did what. Entries are written in the transaction of what they tell, and chained
-- afterwards by one sealer, so that writing one waits for nobody. There is no foreign key to organizations: the log of one
-- outlives it. The entries that are about no organization have the nil UUID.
CREATE TABLE audit_entries (
  org_id              uuid           NOT NULL,
  -- UUIDv7; its time is `at`, so that a range of times is a range of ids.
  id                  uuid           NOT NULL,
  at                  timestamptz(3) NOT NULL,
  actor_kind          text           NOT NULL CONSTRAINT audit_entries_actor_kind_known
                                     CHECK (actor_kind IN ('user', 'admin', 'api_key', 'anonymous', 'system')),
  actor_id            text,
  action              text           NOT NULL,
  target_type         text           NOT NULL,
  target_id           text,
  outcome             text           NOT NULL CONSTRAINT audit_entries_outcome_known
                                     CHECK (outcome IN ('succeeded', 'denied')),
  request_id          text,
  -- `json` keeps the text as it was written, which is what the chain is over.
  details             json           NOT NULL,
  -- SHA-256 over a salt and the personal data of audit_personal.
  personal_commitment bytea          NOT NULL,
  -- By a key that the database does not have: id of the key, HMAC-SHA-256.
  mac                 bytea          NOT NULL,
  CONSTRAINT audit_entries_pkey PRIMARY KEY (org_id, id)
);
CREATE INDEX audit_entries_actor_idx ON audit_entries (org_id, actor_id, id DESC);
CREATE INDEX audit_entries_action_idx ON audit_entries (org_id, action, id DESC);
CREATE INDEX audit_entries_target_idx ON audit_entries (org_id, target_id, id DESC);

-- Personal data of entries. They can be deleted, for the chain is over their commitment.
CREATE TABLE audit_personal (
  org_id     uuid NOT NULL,
  entry_id   uuid NOT NULL,
  -- Whose they are.
  user_id    uuid,
  salt       bytea NOT NULL,
  ip         text,
  user_agent text,
  names      json,
  CONSTRAINT audit_personal_pkey PRIMARY KEY (org_id, entry_id)
);
CREATE INDEX audit_personal_user_id_idx ON audit_personal (user_id) WHERE user_id IS NOT NULL;

-- Entries that are not sealed. Known by being here and not by their position, so one that is committed late is not missed.
CREATE TABLE audit_pending (
  org_id     uuid NOT NULL,
  entry_id   uuid NOT NULL,
  -- When the sealer found that the entry is not what the service wrote.
  refused_at timestamptz(3),
  CONSTRAINT audit_pending_pkey PRIMARY KEY (org_id, entry_id)
);
CREATE INDEX audit_pending_entry_id_idx ON audit_pending (entry_id) WHERE refused_at IS NULL;
CREATE INDEX audit_pending_refused_idx ON audit_pending (refused_at) WHERE refused_at IS NOT NULL;

-- The chain of each organization: hash = SHA-256(0x03 | hash before | seq | digest of the entry).
CREATE TABLE audit_seals (
  org_id   uuid   NOT NULL,
  seq      bigint NOT NULL,
  entry_id uuid   NOT NULL,
  digest   bytea  NOT NULL,
  hash     bytea  NOT NULL,
  CONSTRAINT audit_seals_pkey PRIMARY KEY (org_id, seq),
  CONSTRAINT audit_seals_entry_key UNIQUE (org_id, entry_id)
);

-- Chains that have grown since the last checkpoint.
CREATE TABLE audit_growth (
  org_id uuid NOT NULL CONSTRAINT audit_growth_pkey PRIMARY KEY
);

-- Signed notes over the heads of the chains that grew since the one before.
CREATE TABLE audit_checkpoints (
  number bigint         NOT NULL CONSTRAINT audit_checkpoints_pkey PRIMARY KEY,
  at     timestamptz(3) NOT NULL,
  note   text           NOT NULL
);

CREATE TABLE audit_checkpoint_heads (
  org_id     uuid   NOT NULL,
  checkpoint bigint NOT NULL,
  seq        bigint NOT NULL,
  hash       bytea  NOT NULL,
  CONSTRAINT audit_checkpoint_heads_pkey PRIMARY KEY (org_id, checkpoint)
);
CREATE INDEX audit_checkpoint_heads_checkpoint_idx ON audit_checkpoint_heads (checkpoint, org_id);
CREATE INDEX audit_checkpoint_heads_seq_idx ON audit_checkpoint_heads (org_id, seq);

-- What was deleted on purpose because it was old enough: the beginning of a chain, up to a seal.
CREATE TABLE audit_cuts (
  org_id uuid           NOT NULL,
  seq    bigint         NOT NULL,
  hash   bytea          NOT NULL,
  at     timestamptz(3) NOT NULL,
  note   text           NOT NULL,
  CONSTRAINT audit_cuts_pkey PRIMARY KEY (org_id, seq)
);

-- The last verification of each kind: of what was new, and of all.
CREATE TABLE audit_verifications (
  kind        text           NOT NULL CONSTRAINT audit_verifications_pkey PRIMARY KEY,
  finished_at timestamptz(3) NOT NULL,
  entries     bigint         NOT NULL,
  problems    bigint         NOT NULL
);

SELECT protect_tenant_table(t) FROM unnest(ARRAY[
  'audit_entries', 'audit_personal', 'audit_pending', 'audit_seals', 'audit_growth', 'audit_checkpoint_heads',
  'audit_cuts'
]::regclass[]) AS t;

-- Anyone who works may say what happened to people and to the service; only the system reads it.
CREATE POLICY platform ON audit_entries FOR INSERT WITH CHECK (org_id = '00000000-0000-0000-0000-000000000000');
CREATE POLICY platform ON audit_personal FOR INSERT WITH CHECK (org_id = '00000000-0000-0000-0000-000000000000');
CREATE POLICY platform ON audit_pending FOR INSERT WITH CHECK (org_id = '00000000-0000-0000-0000-000000000000');

-- The log is only added to. What is cut off for its age is deleted by a transaction that says so (services/audit/cuts.ts).
CREATE FUNCTION refuse_audit_change() RETURNS trigger
  LANGUAGE plpgsql
AS $$
BEGIN
  IF TG_OP = 'DELETE' AND current_setting('app.audit_cut', true) = 'on' THEN
    RETURN OLD;
  END IF;
  RAISE EXCEPTION '% is only added to: % is refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE TRIGGER audit_entries_append_only BEFORE UPDATE OR DELETE ON audit_entries
  FOR EACH ROW EXECUTE FUNCTION refuse_audit_change();
CREATE TRIGGER audit_seals_append_only BEFORE UPDATE OR DELETE ON audit_seals
  FOR EACH ROW EXECUTE FUNCTION refuse_audit_change();
CREATE TRIGGER audit_checkpoints_append_only BEFORE UPDATE OR DELETE ON audit_checkpoints
  FOR EACH ROW EXECUTE FUNCTION refuse_audit_change();
CREATE TRIGGER audit_checkpoint_heads_append_only BEFORE UPDATE OR DELETE ON audit_checkpoint_heads
  FOR EACH ROW EXECUTE FUNCTION refuse_audit_change();
CREATE TRIGGER audit_cuts_append_only BEFORE UPDATE OR DELETE ON audit_cuts
  FOR EACH ROW EXECUTE FUNCTION refuse_audit_change();
-- Personal data can be deleted, and not changed.
CREATE TRIGGER audit_personal_no_update BEFORE UPDATE ON audit_personal
  FOR EACH ROW EXECUTE FUNCTION refuse_audit_change();

CREATE TRIGGER audit_entries_no_truncate BEFORE TRUNCATE ON audit_entries
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();
CREATE TRIGGER audit_personal_no_truncate BEFORE TRUNCATE ON audit_personal
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();
CREATE TRIGGER audit_pending_no_truncate BEFORE TRUNCATE ON audit_pending
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();
CREATE TRIGGER audit_seals_no_truncate BEFORE TRUNCATE ON audit_seals
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();
CREATE TRIGGER audit_checkpoints_no_truncate BEFORE TRUNCATE ON audit_checkpoints
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();
CREATE TRIGGER audit_checkpoint_heads_no_truncate BEFORE TRUNCATE ON audit_checkpoint_heads
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();
CREATE TRIGGER audit_cuts_no_truncate BEFORE TRUNCATE ON audit_cuts
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();
