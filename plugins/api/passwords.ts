import fp from 'fastify-plugin'
import { Counter, Gauge, Histogram } from 'prom-client'
import { workerCount } from '#config/worker-count.ts'
import { type PasswordObserver, Passwords } from '#services/passwords/passwords.ts'
import type { PasswordPolicyContext } from '#services/passwords/policy.ts'

declare module '#plugins/infrastructure/context.ts' {
  interface AppContext extends PasswordPolicyContext {
    readonly passwords: Passwords
  }
}

/** Password hashing and the policy for new passwords, with their metrics. */
export default fp(
  async (app) => {
    const { auth, server } = app.config
    const registers = [app.metrics]
    const durations = new Histogram({
      name: 'password_hash_duration_seconds',
      help: 'Time that a password hash took, without the wait for a core.',
      labelNames: ['operation'],
      buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
      registers,
    })
    const observer: PasswordObserver = {
      hashed: (operation, seconds) => durations.observe({ operation }, seconds),
    }
    const passwords = new Passwords(auth.argon2, observer, workerCount(server))
    new Gauge({
      name: 'password_hash_queue_length',
      help: 'Password hashes that wait for a core.',
      registers,
      collect() {
        this.set(passwords.queueLength)
      },
    })
    const breachChecks = new Counter({
      name: 'breach_checks_total',
      help: 'Questions to the service that knows breached passwords, by outcome; failed: auth.breach_check.on_error decided.',
      labelNames: ['outcome'],
      registers,
    })
    for (const outcome of ['clean', 'breached', 'failed']) breachChecks.inc({ outcome }, 0)

    app.addContext({
      passwords,
      passwordPolicy: auth,
      breachChecked: (outcome) => breachChecks.inc({ outcome }),
    })
    app.addHook('onReady', () => passwords.prepare())
  },
  { name: 'passwords', dependencies: ['context', 'metrics'] },
)
