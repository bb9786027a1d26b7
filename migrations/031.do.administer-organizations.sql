-- Admins have organizations deleted for good before their time; from then on nobody can restore them.
ALTER TABLE organizations ADD COLUMN purge_requested_at timestamptz(3);
CREATE INDEX organizations_purge_requested_at_idx ON organizations (purge_requested_at)
  WHERE purge_requested_at IS NOT NULL;

-- Admins see which webhooks do not reach their receivers, of all organizations.
CREATE INDEX webhook_endpoints_failing_idx ON webhook_endpoints (id)
  WHERE first_failed_at IS NOT NULL OR disabled_reason IS NOT NULL;
