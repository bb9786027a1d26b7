import { findLastBackupTime } from '#lib/backup/record.ts'
import type { CheckResult } from '#lib/health/health.ts'
import type { LivingInstance } from '#lib/instances/instances.ts'
import { overview, type QueueOverview } from '#lib/jobs/overview.ts'
import { pausedQueues } from '#lib/jobs/pauses.ts'
import type { HealthSummary } from '#schemas/health-summary.ts'
import { auditStatus } from '#services/audit/status.ts'
import { oldestAge } from '#services/events/oldest-age.ts'
import { sendMailJob } from '#services/mail/jobs.ts'
import { type Actor, assertAdmin } from '#services/users/users.ts'
import * as auditVerification from './audit-verification.ts'
import type { OperationsContext } from './context.ts'

/** The part that only the process itself knows. */
export interface ProcessHealth {
  readonly version: string
  readonly instanceId: string
  readonly brokerKind: 'none' | 'nats'
  readonly hasMailTransport: () => boolean
  readonly checks: () => Promise<CheckResult[]>
  readonly instances: () => Promise<LivingInstance[]>
  readonly pressure: () => HealthSummary['pressure']
}

/** The parts that the summary needs. */
export interface HealthContext extends OperationsContext {
  readonly health: ProcessHealth
}

/**
 * Returns how the service is: what an operator looks at first.
 *
 * @throws Forbidden
 */
export async function summarize(ctx: HealthContext, actor: Actor): Promise<HealthSummary> {
  assertAdmin(actor)
  return healthSummary(ctx)
}

/** How the service is. Nothing here asks who wants to know. */
export async function healthSummary(ctx: HealthContext): Promise<HealthSummary> {
  const { health, db } = ctx
  const now = ctx.now()
  const isNats = health.brokerKind === 'nats'
  const [checks, instances, queues, paused, backup, outbox, broker, audit] = await Promise.all([
    health.checks(),
    health.instances(),
    ctx.jobs.names().then((names) => overview(db, names)),
    pausedQueues(db),
    findLastBackupTime(db),
    oldestAge(ctx, 'fanned_out_at'),
    isNats ? oldestAge(ctx, 'broker_at') : null,
    auditStatus(ctx),
  ])
  return {
    checked_at: now.toISOString(),
    version: health.version,
    uptime_seconds: process.uptime(),
    checks,
    instances: instances.map((instance) => ({ ...instance, is_current: instance.id === health.instanceId })),
    pressure: health.pressure(),
    jobs: { ...sumOf(queues), paused },
    backup: lastBackup(backup, now),
    mails: mailsOf(queues, health.hasMailTransport()),
    outbox: { oldest_seconds: outbox },
    broker: { kind: health.brokerKind, oldest_seconds: broker },
    audit: auditVerification.describe(audit),
  }
}

function sumOf(queues: readonly QueueOverview[]): Omit<HealthSummary['jobs'], 'paused'> {
  const total = (name: 'waiting' | 'retrying' | 'active' | 'dead') =>
    queues.reduce((sum, queue) => sum + queue[name], 0)
  return {
    waiting: total('waiting'),
    retrying: total('retrying'),
    active: total('active'),
    dead: total('dead'),
    oldest_due_seconds: Math.max(0, ...queues.map(({ oldest_age }) => oldest_age)),
  }
}

function lastBackup(time: number | undefined, now: Date): HealthSummary['backup'] {
  if (time === undefined) return { last_at: null, age_seconds: null }
  return {
    last_at: new Date(time * 1000).toISOString(),
    age_seconds: Math.max(0, now.getTime() / 1000 - time),
  }
}

function mailsOf(queues: readonly QueueOverview[], hasTransport: boolean): HealthSummary['mails'] {
  const mails = sumOf(queues.filter(({ queue }) => queue === sendMailJob.name))
  return {
    waiting: mails.waiting + mails.retrying,
    failed: mails.dead,
    oldest_due_seconds: mails.oldest_due_seconds,
    has_transport: hasTransport,
  }
}
