import jwt, { type JWT } from '@fastify/jwt'
import type { FastifyInstance } from 'fastify'
import { ConfigError } from '#config/engine/config-error.ts'
import { variableName } from '#config/engine/keys.ts'
import { LENIENT_ENVIRONMENTS } from '#config/schema/schema.ts'
import { type KeyRing, KeyRingError, readKeyRing } from '#lib/signing-keys/key-ring.ts'
import type { SigningKey } from '#lib/signing-keys/signing-keys.ts'
import type { JsonWebKeySet } from '#schemas/signing-keys.ts'

/** A key as @fastify/jwt takes it, with the header that all of its tokens have. */
export interface TokenKey {
  readonly header: { readonly alg: 'HS256' | 'EdDSA'; readonly typ: string; readonly kid?: string }
  readonly secret: string | { public: string; private?: string }
}

/** `typ` of our access tokens, so that no other JWT signed with the key can be one (RFC 9068 section 2.1). */
const TOKEN_TYPE = 'at+jwt'

/**
 * Returns the keys that the configuration names: the one that signs, others that verify, and what is
 * published of them.
 *
 * @throws ConfigError for key files that can't be used
 */
export async function loadKeys(
  app: FastifyInstance,
): Promise<{ signing: TokenKey; others: TokenKey[]; keySet: JsonWebKeySet }> {
  const { algorithm, secret } = app.config.jwt
  if (algorithm === 'HS256') {
    return {
      signing: { header: { alg: algorithm, typ: TOKEN_TYPE }, secret },
      others: [],
      keySet: { keys: [] },
    }
  }
  const { signing, others } = await loadKeyRing(app)
  return {
    signing: edDsaKey(signing),
    others: others.map(edDsaKey),
    keySet: { keys: [signing, ...others].map(({ jwk }) => jwk) },
  }
}

/** Registers @fastify/jwt for a key, in a namespace of its own. */
export async function registerKey(app: FastifyInstance, { header, secret }: TokenKey): Promise<JWT> {
  const { issuer, audience, expires_in } = app.config.jwt
  const namespace = header.kid ?? header.alg
  await app.register(jwt, {
    namespace,
    // `user` is ours (plugins/api/authentication).
    decoratorName: 'verifiedToken',
    secret,
    sign: {
      algorithm: header.alg,
      iss: issuer,
      aud: audience,
      // The plugin takes a number for seconds.
      expiresIn: expires_in / 1000,
      header,
    },
    verify: { algorithms: [header.alg], allowedIss: issuer, allowedAud: audience, checkTyp: TOKEN_TYPE },
  })
  const registered = app.jwt[namespace]
  /* c8 ignore next -- the plugin has just put it there */
  if (registered === undefined) throw new TypeError('@fastify/jwt keeps its namespaces elsewhere')
  return registered
}

async function loadKeyRing({ config, log }: FastifyInstance): Promise<KeyRing> {
  const ring = await readKeyRing(config.jwt).catch((error: unknown) => {
    /* c8 ignore next -- a fault of the program, not of the files */
    if (!(error instanceof KeyRingError)) throw error
    throw configError(error)
  })
  if (LENIENT_ENVIRONMENTS.includes(config.environment)) return ring
  for (const { file, isExposed } of [ring.signing, ...ring.others]) {
    if (isExposed) log.warn({ file }, 'a private key can be read by every account of this machine')
  }
  return ring
}

/** Invalid key files keep the service from starting, as any invalid setting does. */
function configError({ problems }: KeyRingError): ConfigError {
  return new ConfigError(
    problems.map(({ setting, message }) => `${variableName(`jwt.${setting}`)}: ${message}`),
  )
}

function edDsaKey({ kid, publicKey, privateKey }: SigningKey): TokenKey {
  return {
    header: { alg: 'EdDSA', typ: TOKEN_TYPE, kid },
    secret: { public: publicKey, ...(privateKey === undefined ? {} : { private: privateKey }) },
  }
}
