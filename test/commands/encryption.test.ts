import t from 'tap'
import { readEncryptionKeys } from '#config/engine/encryption-keys.ts'
import { Encryption } from '#lib/encryption/encryption.ts'
import * as memberRecords from '#services/members/records.ts'
import * as queries from '#services/webhooks/queries.ts'
import { signingSecrets } from '#services/webhooks/secrets.ts'
import * as webhooks from '#services/webhooks/webhooks.ts'
import { runCommand } from '#test/support/command.ts'
import { createTestDatabase } from '#test/support/database.ts'
import { createTestApp } from '#test/support/helper.ts'
import { createOrganization } from '#test/support/organizations.ts'

t.test('npm run encryption', async (t) => {
  const db = await createTestDatabase(t)
  const run = (args: readonly string[], env: Record<string, string> = {}) =>
    runCommand('encryption', args, { env: { APP_ENVIRONMENT: 'test', APP_DATABASE__URL: db.url, ...env } })

  t.test('makes keys, which the setting accepts', async (t) => {
    const made = [await run(['new']), await run(['new'])]
    for (const { code, stderr } of made) t.same({ code, stderr }, { code: 0, stderr: '' })
    t.equal(readEncryptionKeys(made.map(({ stdout }) => stdout).join(''))?.length, 2)
  })

  t.test('says which key encrypts, and encrypts with it what others encrypted', async (t) => {
    const [first, second] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)]
    const env = { APP_ENCRYPTION__KEYS: `${first.toString('base64')},${second.toString('base64')}` }
    const [one, other] = new Encryption(first, second).keyIds
    const status = await run(['status'], env)
    t.equal(status.code, 0, status.stderr)
    t.equal(status.stdout, `KEY               USE       VALUES\n${one}  encrypts  0\n${other}  decrypts  0\n`)
    const rotated = await run(['rotate'], env)
    t.equal(rotated.code, 0, rotated.stderr)
    t.equal(rotated.stdout, 'Encrypted with the first key: 0\n')
  })

  t.test('encrypts the secrets of webhooks again, which sign as before', async (t) => {
    const [old, fresh] = [Buffer.alloc(32, 3), Buffer.alloc(32, 4)]
    const keys = (...list: Buffer[]) => list.map((key) => key.toString('base64')).join(',')
    const env = { APP_ROLE: 'web', APP_ENCRYPTION__KEYS: keys(old) }
    const { app, db: own } = await createTestApp(t, env)
    const { organization, owner, createWebhook } = await createOrganization(app)
    const ctx = memberRecords.forNewOrganization(app.ctx, organization.id, owner.user.id)
    const { id } = await createWebhook()
    const { secret: first } = await webhooks.getSecret(ctx, id)
    const { secret: second } = await webhooks.rotateSecret(ctx, id, { grace: 3600 })

    const both = { APP_DATABASE__URL: own.url, APP_ENCRYPTION__KEYS: keys(fresh, old) }
    const rotated = await run(['rotate'], both)
    t.same([rotated.code, rotated.stdout], [0, 'Encrypted with the first key: 2\n'], rotated.stderr)
    t.match((await run(['status'], both)).stdout, /encrypts {2}2\n.*decrypts {2}0\n/)

    const alone = { ...ctx, encryption: new Encryption(fresh) }
    const stored = await queries.selectSecrets(ctx.db, id)
    t.ok(stored)
    if (stored) t.same(signingSecrets(alone, id, stored), [second, first], 'the new key alone reads both')
    t.throws(() => stored && signingSecrets(ctx, id, stored), 'and the old one none')
  })

  t.test('says what it lacks, and how it is used', async (t) => {
    // No environment but development and test has keys by itself.
    const without = await run(['rotate'], {
      APP_ENVIRONMENT: 'production',
      APP_JWT__SECRET: 'a signing key of a test, which is long enough',
    })
    t.equal(without.code, 1)
    t.match(without.stderr, 'APP_ENCRYPTION__KEYS: must be set')
    for (const args of [[], ['spin'], ['new', 'key']]) t.equal((await run(args)).code, 2)
    const bad = await run(['status'], { APP_ENCRYPTION__KEYS: 'c2hvcnQ=' })
    t.equal(bad.code, 1)
    t.match(bad.stderr, 'different keys of 32 bytes in base64')
    t.notMatch(bad.stderr, 'c2hvcnQ=')
  })
})
