DROP INDEX organization_invitations_invited_by_idx;
ALTER TABLE organization_invitations DROP CONSTRAINT organization_invitations_invited_by_fkey;
ALTER TABLE organization_invitations ALTER COLUMN invited_by DROP NOT NULL;
ALTER TABLE organization_invitations ADD CONSTRAINT organization_invitations_invited_by_fkey
  FOREIGN KEY (invited_by) REFERENCES users ON DELETE SET NULL;
CREATE INDEX organization_invitations_invited_by_idx ON organization_invitations (invited_by);
