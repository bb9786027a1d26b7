import type { Context } from '#lib/context.ts'
import type { AuditVerification } from '#schemas/health-summary.ts'
import { type AuditStatus, auditStatus } from '#services/audit/status.ts'
import { type Actor, assertAdmin } from '#services/users/users.ts'

/**
 * Returns whether the audit log is sealed and verified.
 *
 * @throws Forbidden
 */
export async function get(ctx: Context, actor: Actor): Promise<AuditVerification> {
  assertAdmin(actor)
  return describe(await auditStatus(ctx))
}

/** The status in the form of the API. */
export function describe(status: AuditStatus): AuditVerification {
  return {
    oldest_unsealed_seconds: Math.max(0, status.pendingAge),
    refused: status.refused,
    verified_new_seconds: status.newAge,
    verified_all_seconds: status.allAge,
    problems: status.problems,
  }
}
