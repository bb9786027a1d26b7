import type { Context } from '#lib/context.ts'
import type { Encryption } from '#lib/encryption/encryption.ts'
import type { Jobs } from '#lib/jobs/jobs.ts'
import type { PostOptions } from '#lib/outbound/post.ts'

/** The parts that work on webhooks needs. */
export interface WebhookContext extends Context {
  readonly jobs: Jobs
  /** Encrypts secrets; undefined without `encryption.keys`. */
  readonly encryption: Encryption | undefined
  readonly webhooks: WebhookSettings
}

export interface WebhookSettings {
  /** How messages leave. */
  readonly sending: PostOptions
  readonly perOrganization: number
  /** Milliseconds without a success after which an endpoint is disabled. */
  readonly disableAfterMs: number
  /** Types that endpoints can choose. */
  readonly eventTypes: ReadonlySet<string>
  /** Is told of each attempt: `delivered`, `status`, or the fault. */
  attempted(outcome: string, seconds: number): void
  /** Is told of an endpoint that the service disabled. */
  stopped(reason: 'gone' | 'failing'): void
}
