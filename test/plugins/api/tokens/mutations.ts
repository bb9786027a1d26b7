import { createHash, createPublicKey, generateKeyPairSync } from 'node:crypto'
import fc, { type Arbitrary } from 'fast-check'
import { ed25519, encode, forge, hmac, nobody, parse, type Signer } from './forge.ts'

/** A mutator's knowledge: valid tokens, and how the service signs. */
export interface Originals {
  tokens: readonly string[]
  sign: Signer
}

const { privateKey } = generateKeyPairSync('ed25519')
const publicPem = createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }).toString()

/** Signers that are not the service's. */
const strangers: readonly Signer[] = [
  nobody,
  hmac(''),
  hmac('secret'),
  hmac(publicPem),
  hmac(publicPem, 'sha512'),
  ed25519(privateKey),
  () => Buffer.alloc(32),
  () => Buffer.alloc(64),
  (input) => createHash('sha256').update(input).digest(),
]

/** Texts that differ from each of the tokens, made of them in every way that we could think of. */
export function mutations({ tokens, sign }: Originals): Arbitrary<string> {
  const token = fc.constantFrom(...tokens)
  return fc
    .oneof(
      { weight: 6, arbitrary: bitFlips(token) },
      { weight: 4, arbitrary: byteFlips(token) },
      { weight: 3, arbitrary: swaps(tokens) },
      { weight: 4, arbitrary: cuts(token) },
      { weight: 3, arbitrary: respellings(token) },
      { weight: 4, arbitrary: headers(token, sign) },
      { weight: 4, arbitrary: claims(token, sign) },
      { weight: 3, arbitrary: payloads(token, sign) },
      { weight: 2, arbitrary: resignings(token) },
      { weight: 1, arbitrary: noise() },
      { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 64 }) },
    )
    .filter((text) => !tokens.includes(text))
}

/** One bit of one character. */
function bitFlips(token: Arbitrary<string>): Arbitrary<string> {
  return fc.tuple(token, fc.nat(), fc.nat(7)).map(([text, at, bit]) => {
    const index = at % text.length
    return replaceAt(text, index, String.fromCharCode(text.charCodeAt(index) ^ (1 << bit)))
  })
}

/** One bit of what a segment stands for. */
function byteFlips(token: Arbitrary<string>): Arbitrary<string> {
  return fc.tuple(token, fc.nat(2), fc.nat(), fc.nat(7)).map(([text, which, at, bit]) => {
    const segments = text.split('.').map((segment) => Buffer.from(segment, 'base64url'))
    const bytes = segments[which] ?? Buffer.alloc(1)
    const index = at % bytes.length
    bytes[index] = (bytes[index] ?? 0) ^ (1 << bit)
    return segments.map(encode).join('.')
  })
}

/** Segments of several tokens, in any order and number. */
function swaps(tokens: readonly string[]): Arbitrary<string> {
  const segment = fc.constantFrom(...tokens.flatMap((text) => text.split('.')), '', encode('{}'))
  return fc.array(segment, { minLength: 1, maxLength: 6 }).map((segments) => segments.join('.'))
}

/** Shorter, longer, doubled. */
function cuts(token: Arbitrary<string>): Arbitrary<string> {
  const extra = fc.oneof(fc.base64String({ maxLength: 8 }), fc.string({ maxLength: 8 }), fc.constant('.'))
  return fc.tuple(token, fc.nat(), fc.nat(40), extra, fc.nat(4)).map(([text, at, length, more, way]) => {
    const index = at % text.length
    const ways = [
      text.slice(0, index),
      text.slice(index),
      text.slice(0, index) + text.slice(index + 1 + length),
      text.slice(0, index) + more + text.slice(index),
      text + more + text,
    ]
    return ways[way] ?? ''
  })
}

/** The same or nearly the same to a lenient reader. */
function respellings(token: Arbitrary<string>): Arbitrary<string> {
  const space = fc.constantFrom(' ', '\t', '\r\n', '\u00a0', '\u200b', '\ufeff', '\0', '=', '==', '%3D')
  return fc.tuple(token, fc.nat(), space, fc.nat(63), fc.nat(6)).map(([text, at, blank, letter, way]) => {
    const index = at % text.length
    const ways = [
      text.slice(0, index) + blank + text.slice(index),
      replaceAt(text, index, swapCase(text.charAt(index))),
      swapCase(text),
      text.replaceAll('-', '+').replaceAll('_', '/'),
      text.split('.').map(pad).join('.'),
      // The last letter of a signature has bits that stand for nothing.
      replaceAt(text, text.length - 1, ALPHABET.charAt(letter)),
      replaceAt(text, index, String.fromCharCode(text.charCodeAt(index) + 0xfee0)),
    ]
    return ways[way] ?? ''
  })
}

/** Other headers, signed by the service's key or by a stranger's. */
function headers(token: Arbitrary<string>, own: Signer): Arbitrary<string> {
  const algorithm = fc.constantFrom(
    ...['none', 'NONE', '', 'HS256', 'HS384', 'HS512', 'EdDSA', 'Ed25519', 'ES256', 'RS256', 'PS256'],
    ...[null, 1, true, ['HS256'], { alg: 'EdDSA' }],
  )
  const url = fc.webUrl()
  const change = fc.oneof(
    fc.record({ alg: algorithm }),
    fc.record({ kid: fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', null, 0)) }),
    fc.record({ typ: fc.constantFrom('JWT', 'jwt', 'AT+JWT', 'application/at+jwt', '', null, 1) }),
    fc.record({ jku: url }),
    fc.record({ x5u: url }),
    fc.record({ jwk: fc.constant(createPublicKey(privateKey).export({ format: 'jwk' })) }),
    fc.record({ crit: fc.array(fc.constantFrom('exp', 'b64', 'kid', 'x')) }),
    fc.record({ zip: fc.constant('DEF'), cty: fc.constant('JWT') }),
    fc.dictionary(fc.string({ minLength: 1 }), fc.jsonValue(), { minKeys: 1 }),
  )
  return fc.tuple(token, change, fc.constantFrom(own, ...strangers)).map(([text, more, signer]) => {
    const { header, payload } = parse(text)
    return forge({ ...header, ...more }, payload, signer)
  })
}

/** One claim that is missing, odd, or new, signed as by the service. */
function claims(token: Arbitrary<string>, own: Signer): Arbitrary<string> {
  const odd = fc.oneof(
    fc.jsonValue().filter((value) => typeof value !== 'number'),
    fc.constantFrom(0, -1, 0.5, 1e300, -1e300, 2 ** 53, 1, undefined),
  )
  const name = fc.constantFrom(
    'iss',
    'aud',
    'sub',
    'sid',
    'role',
    'iat',
    'exp',
    'jti',
    'nbf',
    'scope',
    'roles',
  )
  return fc
    .tuple(token, name, odd)
    .filter(([, claim, value]) => !isOurs(claim, value))
    .map(([text, claim, value]) => {
      const { header, payload } = parse(text)
      return forge(header, { ...payload, [claim]: value }, own)
    })
}

/** An `iat` of 1 second is long ago, but a time; a claim that is undefined is not there. */
function isOurs(claim: string, value: unknown): boolean {
  if (claim === 'iat') return value === 1
  const isOptional = claim === 'nbf' || claim === 'scope' || claim === 'roles'
  return (isOptional && value === undefined) || (claim === 'role' && (value === 'admin' || value === 'user'))
}

/** Payloads that are something else, signed as by the service. */
function payloads(token: Arbitrary<string>, own: Signer): Arbitrary<string> {
  const payload = fc.oneof(
    fc.constantFrom('', 'null', '[]', '{}', '"text"', '{"sub":', '{"__proto__":{"sub":1}}', 'NaN'),
    fc.json(),
    fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes)),
    fc.integer({ min: 1, max: 2_000 }).map((depth) => '['.repeat(depth) + ']'.repeat(depth)),
  )
  return fc.tuple(token, payload).map(([text, other]) => forge(parse(text).header, other, own))
}

/** Claims that the service might have made, signed by somebody else. */
function resignings(token: Arbitrary<string>): Arbitrary<string> {
  const change = fc.record({ role: fc.constantFrom('admin', 'user'), sub: fc.uuid(), sid: fc.uuid() })
  return fc.tuple(token, change, fc.constantFrom(...strangers)).map(([text, more, signer]) => {
    const { header, payload } = parse(text)
    return forge(header, { ...payload, ...more }, signer)
  })
}

/** Up to 16 KiB of what has the shape of a token, or none. */
function noise(): Arbitrary<string> {
  const encoding = fc.constantFrom<BufferEncoding>('base64url', 'base64', 'latin1', 'hex', 'utf16le')
  return fc
    .tuple(fc.nat(), fc.integer({ min: 1, max: 8_192 }), encoding, fc.nat(4))
    .map(([seed, length, how, dots]) => {
      const bytes = createHash('shake256', { outputLength: length }).update(String(seed)).digest()
      const text = bytes.toString(how).slice(0, 16_384)
      const size = Math.ceil(text.length / (dots + 1))
      return Array.from({ length: dots + 1 }, (_, i) => text.slice(i * size, (i + 1) * size)).join('.')
    })
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

function replaceAt(text: string, index: number, letter: string): string {
  return text.slice(0, index) + letter + text.slice(index + 1)
}

function swapCase(text: string): string {
  return text.replace(/[a-z]/gi, (letter) =>
    letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase(),
  )
}

function pad(segment: string): string {
  return segment.padEnd(Math.ceil(segment.length / 4) * 4, '=')
}
