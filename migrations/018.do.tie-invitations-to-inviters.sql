-- An invitation ends with the membership of the one who sent it: otherwise an admin who is about to be removed could
-- come back by one to a second address.
DELETE FROM organization_invitations i
WHERE NOT EXISTS (SELECT FROM memberships m WHERE m.org_id = i.org_id AND m.user_id = i.invited_by);

DROP INDEX organization_invitations_invited_by_idx;
ALTER TABLE organization_invitations DROP CONSTRAINT organization_invitations_invited_by_fkey;
ALTER TABLE organization_invitations ALTER COLUMN invited_by SET NOT NULL;
ALTER TABLE organization_invitations ADD CONSTRAINT organization_invitations_invited_by_fkey
  FOREIGN KEY (org_id, invited_by) REFERENCES memberships ON DELETE CASCADE;
CREATE INDEX organization_invitations_invited_by_idx ON organization_invitations (org_id, invited_by);
