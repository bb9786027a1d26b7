import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { buildApp } from '#app.ts'
import { createKeyFile, readKeyFile, type SigningKey } from '#lib/signing-keys/signing-keys.ts'
import { borrowTestApp } from '#test/support/borrow.ts'
import { testConfig } from '#test/support/helper.ts'
import { parse } from './forge.ts'

/** An operator's settings: the key that signs and others that verify. */
function settings(signing: SigningKey, others: readonly SigningKey[]): Record<string, string> {
  return {
    APP_LOG__LEVEL: 'silent',
    APP_JWT__ALGORITHM: 'EdDSA',
    APP_JWT__SIGNING_KEY_FILE: signing.file,
    APP_JWT__VERIFICATION_KEY_FILES: others.map(({ file }) => file).join(','),
  }
}

/** Milliseconds between requests of a client: without them, the load would keep instances from starting. */
const PAUSE_MS = 5

/** Instances of the fleet: a new one beside an old one. */
const SIZE = 2

/** Several instances on one database, behind what deals the requests out to them. */
class Fleet {
  readonly #url: string
  readonly #instances: FastifyInstance[] = []
  #next = 0

  constructor(t: Test, url: string) {
    this.#url = url
    t.teardown(() => Promise.all(this.#instances.map((instance) => instance.close())))
  }

  /** The instance whose turn it is. */
  pick(): FastifyInstance {
    const instance = this.#instances[this.#next++ % this.#instances.length]
    if (instance === undefined) throw new Error('the fleet has not started')
    return instance
  }

  async start(count: number, env: Record<string, string>): Promise<void> {
    for (let i = 0; i < count; i++) this.#instances.push(await buildApp(testConfig(this.#url, env)))
  }

  /** Puts a new instance in the place of each, one after the other. */
  async restart(env: Record<string, string>, afterEach: () => Promise<void>): Promise<void> {
    for (const old of [...this.#instances]) {
      const successor = await buildApp(testConfig(this.#url, env))
      this.#instances.splice(this.#instances.indexOf(old), 1, successor)
      await afterEach()
      await old.close()
    }
  }

  keyIds(): string[][] {
    return this.#instances.map(({ tokens }) => tokens.keySet.keys.map(({ kid }) => kid))
  }
}

t.test('keys are rotated under load without a single 401', async (t) => {
  const directory = t.testdir()
  const [old, fresh] = [await createKeyFile(directory), await createKeyFile(directory)]
  const { db, signUp } = await borrowTestApp(t, settings(old, []))
  const { user, session_id } = await signUp()
  const fleet = new Fleet(t, db.url)
  await fleet.start(SIZE, settings(old, []))

  const tokens: string[] = []
  const statuses = new Map<number, number>()
  let rounds = 0
  let isOver = false
  async function clients(): Promise<void> {
    while (!isOver) {
      // Each is used long after it was issued, and by whichever instance comes.
      tokens.push(fleet.pick().tokens.issue(user, session_id))
      const token = tokens[Math.floor(Math.random() * tokens.length)]
      const headers = { authorization: `Bearer ${token}` }
      const instance = fleet.pick()
      const { statusCode } = await instance.inject({ url: '/api/v1/users/me', headers })
      statuses.set(statusCode, (statuses.get(statusCode) ?? 0) + 1)
      if (statusCode !== 200) t.comment(statusCode, instance.tokens.keySet.keys, parse(String(token)))
      rounds++
      await sleep(PAUSE_MS)
    }
  }
  const load = Promise.all([clients(), clients()])
  const traffic = async () => {
    for (const until = rounds + 50; rounds < until; ) await sleep(PAUSE_MS)
  }
  const signedBy = (key: SigningKey) => tokens.filter((token) => parse(token).header['kid'] === key.kid)

  await traffic()
  t.equal(signedBy(fresh).length, 0)
  await fleet.restart(settings(old, [fresh]), traffic)
  t.same(fleet.keyIds(), Array(SIZE).fill([old.kid, fresh.kid]), 'published')
  t.equal(signedBy(fresh).length, 0, 'not yet signing')
  // To verify, the public half is enough.
  const retiring = join(directory, 'retiring.pem')
  writeFileSync(retiring, old.publicKey)
  await fleet.restart(settings(fresh, [await readKeyFile(retiring)]), traffic)
  t.same(fleet.keyIds(), Array(SIZE).fill([fresh.kid, old.kid]))
  t.ok(signedBy(old).length > 0 && signedBy(fresh).length > 0, 'tokens of both are in use')
  const [last = ''] = signedBy(old).slice(-1)
  // The operator waits for the life of a token; then no client has an old one any more.
  tokens.splice(0, tokens.length, ...signedBy(fresh))
  await traffic()
  await fleet.restart(settings(fresh, []), traffic)
  isOver = true
  await load

  t.same([...statuses.keys()], [200], `${rounds} requests`)
  t.same(fleet.keyIds(), Array(SIZE).fill([fresh.kid]))
  t.throws(() => fleet.pick().tokens.verify(last), 'the old key is gone')
})

t.test('a key that signs before it is published everywhere is what goes wrong', async (t) => {
  const directory = t.testdir()
  const [old, fresh] = [await createKeyFile(directory), await createKeyFile(directory)]
  const behind = await borrowTestApp(t, settings(old, []))
  const ahead = await borrowTestApp(t, settings(fresh, [old]))
  const { user, session_id } = await behind.signUp()
  t.ok(ahead.app.tokens.verify(behind.app.tokens.issue(user, session_id)))
  t.throws(() => behind.app.tokens.verify(ahead.app.tokens.issue(user, session_id)))
})
