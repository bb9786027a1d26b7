import type { Health } from '#schemas/health.ts'

export type CheckResult = Health['checks'][number]
export type CheckName = CheckResult['name']

/** Rejects when what it checks does not work. */
export type Check = () => Promise<void>

/** Says why a check fails, in words that anyone may read: probes are public. */
export class CheckFailed extends Error {}

/** Milliseconds after which a check counts as failed; /health answers within 2 s. */
const CHECK_TIMEOUT_MS = 1500
/** Milliseconds for which results are kept, so that probes can't load what they check. */
const MAX_AGE_MS = 1000

/** Runs the checks, all at once, at most once a second, each within its time. */
export class HealthChecks {
  readonly #checks: ReadonlyMap<CheckName, Check>
  readonly #isDraining: () => boolean
  #results: Promise<CheckResult[]> | undefined

  constructor(checks: ReadonlyMap<CheckName, Check>, isDraining: () => boolean) {
    this.#checks = checks
    this.#isDraining = isDraining
  }

  /** Returns the result of every check. Draining is not cached: it must be seen at once. */
  async run(): Promise<CheckResult[]> {
    this.#results ??= this.#runAll()
    const results = await this.#results
    const draining: CheckResult = this.#isDraining()
      ? { name: 'draining', status: 'down', reason: 'the instance is shutting down', latency_ms: 0 }
      : { name: 'draining', status: 'up', latency_ms: 0 }
    return [...results, draining]
  }

  async #runAll(): Promise<CheckResult[]> {
    const results = await Promise.all([...this.#checks].map(([name, check]) => runCheck(name, check)))
    setTimeout(() => {
      this.#results = undefined
    }, MAX_AGE_MS).unref()
    return results
  }
}

async function runCheck(name: CheckName, check: Check): Promise<CheckResult> {
  const start = performance.now()
  const latency = () => ({ latency_ms: Math.round((performance.now() - start) * 1000) / 1000 })
  const timeout = Promise.withResolvers<never>()
  const timer = setTimeout(
    () => timeout.reject(new CheckFailed(`no answer within ${CHECK_TIMEOUT_MS} ms`)),
    CHECK_TIMEOUT_MS,
  )
  try {
    await Promise.race([check(), timeout.promise])
    return { name, status: 'up', ...latency() }
  } catch (error) {
    return {
      name,
      status: 'down',
      reason: error instanceof CheckFailed ? error.message : 'failed',
      ...latency(),
    }
  } finally {
    clearTimeout(timer)
  }
}
