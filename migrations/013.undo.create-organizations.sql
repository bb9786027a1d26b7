DROP TABLE projects;
DROP TABLE memberships CASCADE;
DROP TABLE organizations;
DROP FUNCTION notify_membership, protect_tenant_table, current_org, current_app_user, is_system_scope;
