ALTER POLICY own ON organization_invitations
  USING ((SELECT current_org()) IS NULL
         AND case_fold(email) = (SELECT case_fold(u.email) FROM users u
                                 WHERE u.id = (SELECT current_app_user()) AND u.email_verified_at IS NOT NULL));
ALTER POLICY invited ON organizations
  USING ((SELECT current_org()) IS NULL
         AND id = ANY (ARRAY (SELECT i.org_id FROM organization_invitations i
                              WHERE case_fold(i.email) = (SELECT case_fold(u.email) FROM users u
                                                          WHERE u.id = (SELECT current_app_user())))));

DROP INDEX organization_invitations_folded_email_idx;
CREATE INDEX organization_invitations_email_idx ON organization_invitations (case_fold(email), id);
ALTER TABLE organization_invitations DROP COLUMN folded_email;
