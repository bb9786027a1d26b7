-- Invitations into an organization. The mailed token is derived from the row and names its organization, so that looking
-- for one reads this organization's rows and no others.
CREATE TABLE organization_invitations (
  org_id     uuid           NOT NULL CONSTRAINT organization_invitations_org_id_fkey
                            REFERENCES organizations ON DELETE CASCADE,
  id         uuid           NOT NULL,
  email      text           NOT NULL,
  role       text           NOT NULL CONSTRAINT organization_invitations_role_known
                            CHECK (role IN ('owner', 'admin', 'member')),
  digest     bytea          NOT NULL,
  invited_by uuid           CONSTRAINT organization_invitations_invited_by_fkey REFERENCES users ON DELETE SET NULL,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  updated_at timestamptz(3) NOT NULL DEFAULT now(),
  expires_at timestamptz(3) NOT NULL,
  CONSTRAINT organization_invitations_pkey PRIMARY KEY (org_id, id),
  CONSTRAINT organization_invitations_digest_key UNIQUE (org_id, digest)
);
CREATE UNIQUE INDEX organization_invitations_email_key ON organization_invitations (org_id, case_fold(email));
-- For people who ask who has invited them, for the deletion of accounts, and for the cleanup.
CREATE INDEX organization_invitations_email_idx ON organization_invitations (case_fold(email), id);
CREATE INDEX organization_invitations_invited_by_idx ON organization_invitations (invited_by);
CREATE INDEX organization_invitations_expires_at_idx ON organization_invitations (expires_at);

SELECT protect_tenant_table('organization_invitations');

-- People see the invitations to their own address, once it is known to be theirs, and the names of who invites them.
CREATE POLICY own ON organization_invitations FOR SELECT
  USING ((SELECT current_org()) IS NULL
         AND case_fold(email) = (SELECT case_fold(u.email) FROM users u
                                 WHERE u.id = (SELECT current_app_user()) AND u.email_verified_at IS NOT NULL));
CREATE POLICY invited ON organizations FOR SELECT
  USING ((SELECT current_org()) IS NULL
         AND id = ANY (ARRAY (SELECT i.org_id FROM organization_invitations i
                              WHERE case_fold(i.email) = (SELECT case_fold(u.email) FROM users u
                                                          WHERE u.id = (SELECT current_app_user())))));

CREATE TRIGGER organization_invitations_touch_updated_at BEFORE UPDATE ON organization_invitations
  FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

-- While this is set, nobody works with the organization; instances are told as of a deletion.
ALTER TABLE organizations ADD COLUMN suspended_at timestamptz(3);
CREATE TRIGGER organizations_notify_suspension AFTER UPDATE OF suspended_at ON organizations
  FOR EACH ROW EXECUTE FUNCTION notify_identity('organization');
