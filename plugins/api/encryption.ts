import fp from 'fastify-plugin'
import { readEncryptionKeys } from '#config/engine/encryption-keys.ts'
import { Encryption } from '#lib/encryption/encryption.ts'

declare module '#plugins/infrastructure/context.ts' {
  interface AppContext {
    /** Encrypts secrets for the database; undefined without `encryption.keys`. */
    readonly encryption: Encryption | undefined
  }
}

/** The encryption of secrets that the database keeps. */
export default fp(
  async (app) => {
    const { keys = '' } = app.config.encryption
    const [first, ...others] = readEncryptionKeys(keys) ?? []
    app.addContext({ encryption: first && new Encryption(first, ...others) })
  },
  { name: 'encryption', dependencies: ['context'] },
)
