-- People look for the invitations to their own address across organizations. A condition reaches an index before the
-- policies only when its functions are leakproof, as equality of texts is and case_fold is not: so the folded address is
-- a column. Its table is written again, which takes a second or two for 100 000 invitations, more than wait at a
-- time: they end after days.
DROP INDEX organization_invitations_email_idx;
ALTER TABLE organization_invitations
  ADD COLUMN folded_email text NOT NULL GENERATED ALWAYS AS (case_fold(email)) STORED;
CREATE INDEX organization_invitations_folded_email_idx ON organization_invitations (folded_email, id);

-- The unique index on (org_id, case_fold(email)) stays: adding an invitation names it, also in the version before.
ALTER POLICY own ON organization_invitations
  USING ((SELECT current_org()) IS NULL
         AND folded_email = (SELECT case_fold(u.email) FROM users u
                             WHERE u.id = (SELECT current_app_user()) AND u.email_verified_at IS NOT NULL));
ALTER POLICY invited ON organizations
  USING ((SELECT current_org()) IS NULL
         AND id = ANY (ARRAY (SELECT i.org_id FROM organization_invitations i
                              WHERE i.folded_email = (SELECT case_fold(u.email) FROM users u
                                                      WHERE u.id = (SELECT current_app_user())))));
