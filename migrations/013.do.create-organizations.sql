-- Whose rows a statement may see: settings of its transaction (lib/database/scope.ts). After a transaction a setting is
-- an empty text and not null, which must count as not set.
CREATE FUNCTION current_org() RETURNS uuid
  LANGUAGE sql STABLE PARALLEL SAFE
  RETURN nullif(current_setting('app.org_id', true), '')::uuid;

CREATE FUNCTION current_app_user() RETURNS uuid
  LANGUAGE sql STABLE PARALLEL SAFE
  RETURN nullif(current_setting('app.user_id', true), '')::uuid;

CREATE FUNCTION is_system_scope() RETURNS boolean
  LANGUAGE sql STABLE PARALLEL SAFE
  RETURN coalesce(current_setting('app.scope', true) = 'system', false);

-- Makes a table one of organizations' rows: the standard policies, also for the table's owner. The sub-selects are
-- evaluated once for a statement, and not for each row.
CREATE FUNCTION protect_tenant_table(tenant_table regclass, tenant_column name DEFAULT 'org_id') RETURNS void
  LANGUAGE plpgsql
AS $$
BEGIN
  EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', tenant_table);
  EXECUTE format('CREATE POLICY tenant ON %s USING (%I = (SELECT current_org()))', tenant_table, tenant_column);
  EXECUTE format('CREATE POLICY system ON %s USING ((SELECT is_system_scope()))', tenant_table);
END
$$;

CREATE TABLE organizations (
  id         uuid           NOT NULL CONSTRAINT organizations_pkey PRIMARY KEY,
  name       text           NOT NULL CONSTRAINT organizations_name_length CHECK (char_length(name) BETWEEN 1 AND 100),
  slug       text           CONSTRAINT organizations_slug_key UNIQUE
                            CONSTRAINT organizations_slug_format CHECK (slug ~ '^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$'),
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  updated_at timestamptz(3) NOT NULL DEFAULT now(),
  -- Its rows are deleted when that is long enough ago.
  deleted_at timestamptz(3)
);
CREATE INDEX organizations_deleted_at_idx ON organizations (deleted_at) WHERE deleted_at IS NOT NULL;

CREATE TABLE memberships (
  org_id     uuid           NOT NULL CONSTRAINT memberships_org_id_fkey REFERENCES organizations ON DELETE CASCADE,
  user_id    uuid           NOT NULL CONSTRAINT memberships_user_id_fkey REFERENCES users ON DELETE CASCADE,
  role       text           NOT NULL CONSTRAINT memberships_role_known CHECK (role IN ('owner', 'admin', 'member')),
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  updated_at timestamptz(3) NOT NULL DEFAULT now(),
  CONSTRAINT memberships_pkey PRIMARY KEY (org_id, user_id)
);
CREATE INDEX memberships_user_id_idx ON memberships (user_id, org_id);

CREATE TABLE projects (
  org_id      uuid           NOT NULL CONSTRAINT projects_org_id_fkey REFERENCES organizations ON DELETE CASCADE,
  id          uuid           NOT NULL,
  name        text           NOT NULL CONSTRAINT projects_name_length CHECK (char_length(name) BETWEEN 1 AND 100),
  description text           NOT NULL CONSTRAINT projects_description_length CHECK (char_length(description) <= 2000),
  archived    boolean        NOT NULL DEFAULT false,
  created_at  timestamptz(3) NOT NULL DEFAULT now(),
  updated_at  timestamptz(3) NOT NULL DEFAULT now(),
  CONSTRAINT projects_pkey PRIMARY KEY (org_id, id)
);
CREATE UNIQUE INDEX projects_name_key ON projects (org_id, case_fold(name) text_pattern_ops);
CREATE INDEX projects_archived_idx ON projects (org_id, archived, id DESC);

SELECT protect_tenant_table('organizations', 'id');
SELECT protect_tenant_table('memberships');
SELECT protect_tenant_table('projects');

-- People see which organizations are theirs, before they have chosen one.
CREATE POLICY own ON memberships FOR SELECT
  USING (user_id = (SELECT current_app_user()) AND (SELECT current_org()) IS NULL);
CREATE POLICY own ON organizations FOR SELECT
  USING ((SELECT current_org()) IS NULL
         AND id = ANY (ARRAY (SELECT org_id FROM memberships WHERE user_id = (SELECT current_app_user()))));

CREATE TRIGGER organizations_touch_updated_at BEFORE UPDATE ON organizations
  FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CREATE TRIGGER memberships_touch_updated_at BEFORE UPDATE ON memberships
  FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CREATE TRIGGER projects_touch_updated_at BEFORE UPDATE ON projects
  FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

-- Instances keep who is a member in memory; these tell them what to forget, over the channel of identities.
CREATE FUNCTION notify_membership() RETURNS trigger
  LANGUAGE plpgsql
AS $$
BEGIN
  PERFORM pg_notify('identity', 'member:' || OLD.org_id || ':' || OLD.user_id);
  RETURN NULL;
END
$$;

CREATE TRIGGER memberships_notify AFTER UPDATE OR DELETE ON memberships
  FOR EACH ROW EXECUTE FUNCTION notify_membership();
CREATE TRIGGER organizations_notify AFTER UPDATE OF deleted_at OR DELETE ON organizations
  FOR EACH ROW EXECUTE FUNCTION notify_identity('organization');
