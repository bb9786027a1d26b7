import { defineError } from '#lib/errors.ts'

export const AuditEntryNotFound = defineError({
  code: 'audit_entry_not_found',
  status: 404,
  title: 'Audit entry not found',
  detail: 'The organization has no such entry in its audit log.',
})

export const AuditFiltersConflict = defineError({
  code: 'audit_filters_conflict',
  status: 400,
  title: 'Audit filters conflict',
  detail:
    'The audit log is searched by one of `actor_id`, `action` and `target_id`, together with times; by `admin_id` with ' +
    'times only.',
})
