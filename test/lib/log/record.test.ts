import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Value } from '@sinclair/typebox/value'
import t from 'tap'
import { LOG_FIELDS, LogRecord } from '#lib/log/record.ts'
import { sendMailJob } from '#services/mail/jobs.ts'
import { eventually } from '#test/support/eventually.ts'
import { createTestApp } from '#test/support/helper.ts'

t.test('the lines of requests and jobs are as documented', async (t) => {
  const { app, request, signUp, logs } = await createTestApp(t, {}, async (instance) => {
    instance.get('/broken', { schema: { hide: true } }, async () => {
      throw new Error('outer', { cause: new TypeError('inner') })
    })
  })
  const user = await signUp()
  const admin = await signUp({ role: 'admin' })
  const post = (url: string, payload: object) => request({ method: 'POST', url, payload })
  app.logLevels.set({ level: 'debug', modules: { database: 'trace' } })
  await request({ url: '/live' })
  await request({ url: '/%zz' })
  await request({ url: '/broken' })
  await request({ url: '/api/v1/users/me', as: user })
  await request({ url: '/api/v1/users', as: user })
  await post('/api/v1/auth/login', { email: user.user.email, password: 'wrong' })
  await post('/api/v1/auth/password/forgot', { email: user.user.email })
  await request({
    method: 'PUT',
    url: '/api/v1/operations/log-level',
    as: admin,
    payload: { level: 'debug', reason: 'To see statements' },
  })
  await app.db.transaction(async (db) => {
    await app.jobs.enqueue(db, sendMailJob, JSON.parse('{ "message": { "template": "none" } }'))
  })
  const messages = [
    'request completed',
    'request failed',
    'statement completed',
    'log levels changed by an admin',
    'mail sent',
    'job failed; it will be tried again',
  ]
  await eventually(async () => messages.every((msg) => logs().some((line) => line['msg'] === msg)))
  for (const line of logs()) {
    const [error] = Value.Errors(LogRecord, line)
    t.notOk(error && `${error.path} ${error.message}: ${JSON.stringify(line)}`)
  }
})

t.test('docs/logging.md has every field, and no other', async (t) => {
  const document = await readFile(join(import.meta.dirname, '../../../docs/logging.md'), 'utf8')
  const written = [...document.matchAll(/^\| `(\w+)` +\| (.+?) +\|$/gm)].map(([, name, meaning]) => [
    name,
    meaning,
  ])
  const declared = Object.values(LOG_FIELDS)
    .flatMap((fields) => Object.entries(fields))
    .map(([name, { description }]) => [name, description])
  t.strictSame(written, declared)
})
