import { hash } from '@node-rs/argon2'
import t from 'tap'
import { isUsableHash } from '#services/passwords/stored-hash.ts'

const CONFIGURED = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }
const SALT = Buffer.alloc(16, 1).toString('base64').replace(/=+$/, '')
const TAG = Buffer.alloc(32, 2).toString('base64').replace(/=+$/, '')

function phc(parts: { head?: string; m?: string; t?: string; p?: string; salt?: string; tag?: string }) {
  const { head = '$argon2id$v=19', m = '19456', t: passes = '2', p = '1', salt = SALT, tag = TAG } = parts
  return `${head}$m=${m},t=${passes},p=${p}$${salt}$${tag}`
}

function unpadded(bytes: number): string {
  return Buffer.alloc(bytes, 3).toString('base64').replace(/=+$/, '')
}

t.test('hashes that this service writes, and cheaper or slightly more expensive ones', async (t) => {
  t.ok(isUsableHash(await hash('a password', CONFIGURED), CONFIGURED))
  const usable = [
    phc({}),
    phc({ m: '8', t: '1' }),
    phc({ m: '65536', t: '10', p: '4' }),
    phc({ salt: unpadded(8), tag: unpadded(16) }),
    phc({ salt: unpadded(48), tag: unpadded(64), m: '65536', t: '10', p: '4' }),
  ]
  for (const text of usable) t.ok(isUsableHash(text, CONFIGURED), text)
})

t.test('what the configuration asks for is usable, however expensive', async (t) => {
  const strong = { memoryCost: 4 * 1024 * 1024, timeCost: 1000, parallelism: 255 }
  const text = phc({ m: '4194304', t: '1000', p: '255' })
  t.ok(isUsableHash(text, strong))
  t.notOk(isUsableHash(text, CONFIGURED))
})

t.test('cost beyond the bounds', async (t) => {
  const expensive = [
    phc({ m: '65537' }),
    phc({ m: '4194304' }),
    phc({ m: '4294967296' }),
    phc({ t: '11' }),
    phc({ t: '4294967295' }),
    phc({ p: '5' }),
    phc({ p: '255' }),
  ]
  for (const text of expensive) t.notOk(isUsableHash(text, CONFIGURED), text)
})

t.test('anything but the one spelling of an Argon2id hash', async (t) => {
  const malformed = [
    '',
    '$argon2id$none',
    'plain text',
    '$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy',
    phc({ head: '$argon2i$v=19' }),
    phc({ head: '$argon2d$v=19' }),
    phc({ head: '$argon2id$v=16' }),
    phc({ head: '$argon2id' }),
    phc({ head: '$Argon2id$v=19' }),
    phc({ m: '019456' }),
    phc({ m: '0' }),
    phc({ m: '-1' }),
    phc({ m: '1e4' }),
    phc({ m: '' }),
    phc({ m: '7' }),
    phc({ m: '31', p: '4' }),
    phc({ t: '0' }),
    phc({ p: '0' }),
    phc({ salt: unpadded(7) }),
    phc({ salt: unpadded(49) }),
    phc({ salt: '' }),
    phc({ salt: `${unpadded(16)}==` }),
    phc({ tag: unpadded(15) }),
    phc({ tag: unpadded(65) }),
    phc({ tag: `${unpadded(32).slice(0, -1)}/` }),
    phc({ tag: unpadded(33).replace(/./, '_') }),
    phc({ tag: `${TAG}$more` }),
    ` ${phc({})}`,
    `${phc({})}\n`,
    phc({}).replace('m=19456,t=2,p=1', 't=2,m=19456,p=1'),
    phc({}).replace('p=1', 'p=1,keyid=AAAA'),
    phc({ tag: 'A'.repeat(10_000_000) }),
  ]
  for (const text of malformed) t.notOk(isUsableHash(text, CONFIGURED), text.slice(0, 200))
})
