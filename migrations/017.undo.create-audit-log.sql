DROP TABLE audit_entries, audit_personal, audit_pending, audit_seals, audit_growth, audit_checkpoints, audit_checkpoint_heads,
           audit_cuts, audit_verifications;
DROP FUNCTION refuse_audit_change;
