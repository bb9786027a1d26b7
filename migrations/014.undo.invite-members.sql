DROP TRIGGER organizations_notify_suspension ON organizations;
ALTER TABLE organizations DROP COLUMN suspended_at;
DROP POLICY invited ON organizations;
DROP TABLE organization_invitations;
