import { because, type Context } from '#lib/context.ts'
import * as auditRecords from '#services/audit/records.ts'

/** Something that an admin does, which emits no event. */
export interface Act {
  /** Its operationId. */
  readonly operation: string
  readonly reason: string
  /** Its object, if that has an id. */
  readonly target?: { readonly type: string; readonly id: string }
  /** Ids, names and values of closed sets: no personal data. */
  readonly details?: object
}

/** Records an act and its reason in the audit log, in the context's transaction. */
export async function recordAct(
  ctx: Pick<Context, 'db' | 'client' | 'marker'>,
  { operation, reason, target = { type: 'operation', id: operation }, details = {} }: Act,
): Promise<void> {
  await auditRecords.record(because(ctx, reason), { action: `operations.${operation}`, target, details })
}
