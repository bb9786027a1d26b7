import fp from 'fastify-plugin'
import { readEncryptionKeys } from '#config/engine/encryption-keys.ts'
import type { Config } from '#config/schema/schema.ts'
import { type Context, SYSTEM } from '#lib/context.ts'
import { LOCAL_ADDRESS } from '#lib/network/addresses.ts'
import { EntryMacs } from '#services/audit/macs.ts'

/**
 * The first argument of services. Each plugin that has something for them adds it (`app.addContext`), and declares it here:
 * `declare module '#plugins/infrastructure/context.ts' { interface AppContext { ... } }`.
 */
export interface AppContext extends Context {}

declare module 'fastify' {
  interface FastifyInstance {
    /** The context for work outside of requests; whole once all plugins are loaded. */
    readonly ctx: AppContext
    /** Adds a domain's part to the context. */
    addContext(part: Partial<AppContext>): void
  }
}

/** The context of services: database, log, clock and client, to which other plugins add. */
export default fp(
  async (app) => {
    const base: Context = {
      db: app.db,
      log: app.log,
      now: () => new Date(),
      client: { ip: LOCAL_ADDRESS, userAgent: null, actor: SYSTEM, requestId: null },
      marker: auditMacs(app.config),
    }
    // Typed as what it is once all plugins have added their parts.
    const ctx: AppContext = Object.assign(Object.create(null), base)
    app.decorate('ctx', ctx)
    app.decorate('addContext', (part) => {
      for (const name of Object.keys(part)) {
        if (name in ctx) throw new Error(`the context has '${name}' already`)
      }
      Object.assign(ctx, part)
    })
  },
  { name: 'context', dependencies: ['database'] },
)

/** Marks with the first encryption key; without any, with what `jwt.secret` derives, which is known in any case. */
function auditMacs({ encryption, jwt }: Config): EntryMacs {
  const [first, ...others] = [...(readEncryptionKeys(encryption.keys ?? '') ?? []), Buffer.from(jwt.secret)]
  return new EntryMacs(first ?? Buffer.from(jwt.secret), ...others)
}
