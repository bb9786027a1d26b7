import { type Static, Type } from '@sinclair/typebox'
import { ref } from './registry.ts'

/** A public Ed25519 key as a JSON Web Key (RFC 8037 section 2). */
export const JsonWebKey = Type.Object(
  {
    kty: Type.String({ description: 'Kind of key: `OKP`.', examples: ['OKP'] }),
    crv: Type.String({ description: 'Curve: `Ed25519`.', examples: ['Ed25519'] }),
    x: Type.String({
      description: 'The public key, base64url.',
      examples: ['11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo'],
    }),
    kid: Type.String({
      description: "The key's thumbprint (RFC 7638), which tokens name as `kid`.",
      examples: ['kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k'],
    }),
    use: Type.String({ description: 'What it is for: `sig`.', examples: ['sig'] }),
    alg: Type.String({ description: 'Algorithm of the signatures: `EdDSA`.', examples: ['EdDSA'] }),
  },
  {
    $id: 'JsonWebKey',
    additionalProperties: false,
    description: 'A public key that verifies access tokens.',
  },
)
export type JsonWebKey = Static<typeof JsonWebKey>

/** RFC 7517 section 5. */
export const JsonWebKeySet = Type.Object(
  { keys: Type.Array(ref(JsonWebKey), { description: 'The keys.' }) },
  {
    $id: 'JsonWebKeySet',
    additionalProperties: false,
    description:
      'The public keys that verify access tokens; none while they are signed with a shared secret.',
  },
)
export type JsonWebKeySet = Static<typeof JsonWebKeySet>
