import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { chmodSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { KeyRingError, readKeyRing } from '#lib/signing-keys/key-ring.ts'
import { createKeyFile, KeyFileError, readKeyFile } from '#lib/signing-keys/signing-keys.ts'

/** The key of RFC 8037 appendix A, and its thumbprint there. */
const example = createPrivateKey({
  format: 'jwk',
  key: {
    kty: 'OKP',
    crv: 'Ed25519',
    d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A',
    x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
  },
})
const EXAMPLE_KID = 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k'

const pem = {
  private: example.export({ type: 'pkcs8', format: 'pem' }).toString(),
  public: createPublicKey(example).export({ type: 'spki', format: 'pem' }).toString(),
}

t.test('reads private and public keys and names them by their thumbprint', async (t) => {
  const directory = t.testdir({ 'private.pem': pem.private, 'public.pem': `A comment\n${pem.public}` })
  const jwk = {
    kty: 'OKP',
    crv: 'Ed25519',
    x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
    kid: EXAMPLE_KID,
    use: 'sig',
    alg: 'EdDSA',
  }
  const file = join(directory, 'private.pem')
  chmodSync(file, 0o640)
  const expected = { kid: EXAMPLE_KID, jwk, publicKey: pem.public, isExposed: false }
  t.strictSame(await readKeyFile(file), { file, ...expected, privateKey: pem.private })
  chmodSync(file, 0o644)
  t.match(await readKeyFile(file), { isExposed: true })
  const publicFile = join(directory, 'public.pem')
  chmodSync(publicFile, 0o644)
  t.strictSame(await readKeyFile(publicFile), { file: publicFile, ...expected })
})

t.test('what it writes it can read', async (t) => {
  const directory = join(t.testdir(), 'deep', 'keys')
  const key = await createKeyFile(directory)
  t.equal(key.file, join(directory, `${key.kid}.pem`))
  t.strictSame(await readKeyFile(key.file), key)
  t.equal(statSync(key.file).mode & 0o777, 0o600, 'its owner can read it')
  t.equal(statSync(directory).mode & 0o777, 0o700)
  t.not((await createKeyFile(directory)).kid, key.kid)
})

const { privateKey: rsa } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const { publicKey: ec } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const { privateKey: ed448 } = generateKeyPairSync('ed448')

const bad: Record<string, { content: string; message: RegExp }> = {
  rsa: {
    content: rsa.export({ type: 'pkcs8', format: 'pem' }).toString(),
    message: /holds a key of the type rsa, not ed25519$/,
  },
  ec: {
    content: ec.export({ type: 'spki', format: 'pem' }).toString(),
    message: /holds a key of the type ec, not ed25519$/,
  },
  ed448: {
    content: ed448.export({ type: 'pkcs8', format: 'pem' }).toString(),
    message: /holds a key of the type ed448, not ed25519$/,
  },
  encrypted: {
    content: example
      .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' })
      .toString(),
    message: /holds no key in PEM without a passphrase \(ERR_\w+\)$/,
  },
  empty: { content: '', message: /holds no key in PEM/ },
  text: { content: 'a secret of many bytes that is not a key', message: /holds no key in PEM/ },
  huge: { content: pem.private.padEnd(65_537), message: /huge is too large for a key$/ },
  cut: { content: pem.private.slice(0, 60), message: /holds no key in PEM/ },
}

t.test('refuses anything but an Ed25519 key, and shows nothing of it', async (t) => {
  for (const [name, { content, message }] of Object.entries(bad)) {
    const file = join(t.testdir({ [name]: content }), name)
    const error = await t.rejects(readKeyFile(file), KeyFileError, name)
    if (!(error instanceof Error)) continue
    t.match(error.message, message, name)
    t.ok(error.message.startsWith(file))
    t.notMatch(error.message, /a secret of/)
  }
  await t.rejects(readKeyFile(join(t.testdir(), 'none')), { message: /none cannot be read \(ENOENT\)$/ })
  await t.rejects(readKeyFile(t.testdir()), { message: / cannot be read \(EISDIR\)$/ })
})

t.test('a key ring has each key once', async (t) => {
  const directory = t.testdir({ 'public.pem': pem.public })
  const [a, b] = [await createKeyFile(directory), await createKeyFile(directory)]
  const copy = join(directory, 'copy.pem')
  writeFileSync(copy, a.publicKey)
  const files = [b.file, copy, join(directory, 'public.pem'), b.file]
  const ring = await readKeyRing({ signing_key_file: a.file, verification_key_files: files })
  t.equal(ring.signing.kid, a.kid)
  t.same(
    ring.others.map(({ kid }) => kid),
    [b.kid, EXAMPLE_KID],
  )
})

t.test('a key ring tells all that is wrong with its files', async (t) => {
  const directory = t.testdir({ 'public.pem': pem.public, 'text.pem': 'text' })
  const file = (name: string) => join(directory, name)
  const error = await t.rejects(
    readKeyRing({
      signing_key_file: file('public.pem'),
      verification_key_files: [file('none.pem'), file('public.pem'), file('text.pem')],
    }),
    KeyRingError,
  )
  t.match(error, {
    problems: [
      { setting: 'signing_key_file', message: /public\.pem holds a public key, which cannot sign$/ },
      { setting: 'verification_key_files', message: /none\.pem cannot be read \(ENOENT\)$/ },
      { setting: 'verification_key_files', message: /text\.pem holds no key in PEM/ },
    ],
    message: /cannot sign; .*ENOENT/,
  })
  const without = await t.rejects(readKeyRing({ verification_key_files: [] }), KeyRingError)
  t.match(without, { problems: [{ setting: 'signing_key_file' }] })
})
