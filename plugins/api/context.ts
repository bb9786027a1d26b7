import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { Counter, Gauge, Histogram } from 'prom-client'
import type { Config } from '#config/schema/schema.ts'
import { workerCount } from '#config/worker-count.ts'
import type { Client } from '#lib/context.ts'
import { Cursors } from '#lib/pagination/cursors.ts'
import { deriveKey } from '#lib/secrets/secrets.ts'
import { LOCAL_ADDRESS } from '#plugins/http/request/client-address.ts'
import { SocketCaller } from '#plugins/http/request/request-caller.ts'
import type { AuthContext } from '#services/authentication/authentication.ts'
import type { MailContext } from '#services/mail/deliver.ts'
import { type PasswordObserver, Passwords } from '#services/passwords/passwords.ts'

/** What our services need, all of them together. */
export interface AppContext extends AuthContext, MailContext {
  readonly cursors: Cursors
}

declare module 'fastify' {
  interface FastifyInstance {
    /** The context for work outside of requests. */
    ctx: AppContext
  }
  interface FastifyRequest {
    /** The context for services, with the request's logger. */
    readonly ctx: AppContext
  }
}

/** Puts together the context that services take. */
export default fp(
  async (app) => {
    const { auth, jwt, server } = app.config
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
    const logins = new Counter({
      name: 'logins_total',
      help: 'Logins by outcome.',
      labelNames: ['outcome'],
      registers,
    })

    const breachChecks = new Counter({
      name: 'breach_checks_total',
      help: 'Questions to the service that knows breached passwords, by outcome; failed: auth.breach_check.on_error decided.',
      labelNames: ['outcome'],
      registers,
    })
    for (const outcome of ['clean', 'breached', 'failed']) breachChecks.inc({ outcome }, 0)

    const ctx: AppContext = {
      db: app.db,
      log: app.log,
      now: () => new Date(),
      client: LOCAL,
      passwords,
      tokens: app.tokens,
      jobs: app.jobs,
      mail: app.mail,
      identities: app.identities,
      cursors: new Cursors(jwt.secret),
      loginFinished: (outcome) => logins.inc({ outcome }),
      breachChecked: (outcome) => breachChecks.inc({ outcome }),
      ...accountSettings(app.config),
    }
    app.decorate('ctx', ctx)
    app.decorateRequest('ctx', {
      getter() {
        const db = app.db.forCaller(new SocketCaller(this.raw.socket))
        return { ...ctx, db, log: this.log, client: clientOf(this, app.clientAddress(this)) }
      },
    })
    app.addHook('onReady', () => passwords.prepare())
  },
  {
    name: 'context',
    dependencies: ['identity', 'tokens'],
  },
)

/** Who causes the work of commands and jobs. */
const LOCAL: Client = { ip: LOCAL_ADDRESS, userAgent: null }

/** Longest user agent that is kept. */
const MAX_USER_AGENT = 500

/** Where a request came from. */
function clientOf({ headers }: FastifyRequest, address = LOCAL_ADDRESS): Client {
  const userAgent = headers['user-agent']?.slice(0, MAX_USER_AGENT).toWellFormed() ?? null
  return { ip: address, userAgent }
}

/** The settings of accounts and sessions, as the services take them. */
function accountSettings({ auth, jwt }: Config) {
  const { session, login_limit, mail_limit, one_time_token } = auth
  return {
    registration: auth.registration,
    passwordPolicy: auth,
    sessions: {
      idleTimeout: session.idle_timeout,
      absoluteTimeout: session.absolute_timeout,
      refreshGrace: session.refresh_grace,
      key: deriveKey(jwt.secret, 'refresh tokens'),
    },
    attemptLimits: {
      perAccount: login_limit.per_account,
      perAddress: login_limit.per_address,
      window: login_limit.window,
    },
    mailLimit: { perAccount: mail_limit.per_account, window: mail_limit.window },
    oneTimeTokens: {
      key: deriveKey(jwt.secret, 'one-time tokens'),
      lifetimes: {
        verify_email: one_time_token.verify_lifetime,
        change_email: one_time_token.verify_lifetime,
        reset_password: one_time_token.reset_lifetime,
        choose_password: one_time_token.invitation_lifetime,
      },
    },
  }
}
