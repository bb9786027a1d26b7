import t, { type Test } from 'tap'
import { v7 as uuidv7 } from 'uuid'
import { createEmptyDatabase } from '#test/support/database.ts'
import { doctor } from '#test/support/doctor.ts'
import { eventually } from '#test/support/eventually.ts'
import { type CallOptions, call, PASSWORD, type RemoteUser, signUpRemote } from '#test/support/http.ts'
import { startReceiver } from '#test/support/http-receiver.ts'
import {
  type PgBouncerOptions,
  startPgBouncer,
  WITHOUT_PGBOUNCER,
  WITHOUT_TRACKING,
} from '#test/support/pgbouncer.ts'
import { startService, type TestService } from '#test/support/process.ts'
import { Ear } from '#test/support/realtime.ts'

/** Ways of putting PgBouncer between, with the setting that goes with each. */
const WAYS: readonly (PgBouncerOptions & { readonly prepared: string; readonly skip: string | false })[] = [
  { mode: 'transaction', poolSize: 4, prepared: 'auto', skip: WITHOUT_PGBOUNCER },
  { mode: 'transaction', poolSize: 4, tracked: 200, prepared: 'true', skip: WITHOUT_TRACKING },
  { mode: 'session', poolSize: 40, prepared: 'auto', skip: WITHOUT_PGBOUNCER },
]

for (const { prepared, skip, ...options } of WAYS) {
  const name = `${options.mode} mode, statements by name: ${prepared}: what people do works, from the first migration on`
  t.test(name, { skip }, async (t) => {
    const db = await createEmptyDatabase(t)
    const env = {
      APP_ENVIRONMENT: 'development',
      APP_DATABASE__URL: await startPgBouncer(t, db.url, options),
      APP_DATABASE__PREPARED_STATEMENTS: prepared,
      APP_FILES__DIRECTORY: t.testdir(),
    }
    const service = await startService(t, env)
    await live(t, service)
    const { stdout } = await doctor(env, [])
    t.match(stdout, /^ok {10}database$/m)
    t.match(stdout, /^ok {10}migrations$/m)
    const answers = service.logs().filter(({ status }) => Number(status) >= 500)
    t.same(answers, [])
    t.same(
      service.logs().filter(({ level }) => level === 'error'),
      [],
    )
  })
}

/** Signs up, founds an organization, and uses each part of the product once. */
async function live(t: Test, { url }: TestService): Promise<void> {
  const [owner, guest] = [await signUpRemote(url), await signUpRemote(url)]
  const send = async (path: string, { expect = 200, ...request }: CallOptions & { expect?: number }) => {
    const answer = await call(`${url}/api/v1${path}`, { token: owner.token, ...request })
    t.equal(answer.status, expect, `${request.method ?? 'GET'} ${path}: ${answer.text.slice(0, 200)}`)
    return answer
  }
  const create = async (path: string, json: object, headers = {}) =>
    JSON.parse((await send(path, { method: 'POST', json, headers, expect: 201 })).text)

  const org = `/organizations/${(await create('/organizations', { name: 'Acme' })).id}`
  const heard = await listen(t, url, owner.token, `${org.slice(1).replace('/', ':')}:projects`)
  const receiver = await startReceiver(t)
  await create(`${org}/webhooks`, { url: receiver.url, event_types: ['projects.created'] })

  const once = { 'idempotency-key': uuidv7() }
  const [one, same] = await Promise.all([
    create(`${org}/projects`, { name: 'Rocket' }, once),
    create(`${org}/projects`, { name: 'Rocket' }, once),
  ])
  t.equal(one.id, same.id, 'an Idempotency-Key counts')
  await eventually(async () => heard.told.some(({ subject }) => subject === one.id), 60)
  await eventually(async () => receiver.received.some(({ body }) => body.includes(one.id)), 60)

  await invite(t, { url, org, send, guest })
  const { key } = await create(`${org}/api-keys`, { name: 'CI', scopes: ['projects:read'] })
  t.match((await send(`${org}/projects`, { token: key })).text, /Rocket/)
  await storeFile(t, `${url}/api/v1${org}/files`, owner)
  await eventually(async () => {
    const { text } = await send(`${org}/audit-entries`, {})
    return JSON.parse(text).data.every(({ seq }: { seq: number | null }) => seq !== null)
  }, 60)
  t.equal((await call(`${url}/ready`)).status, 200)
}

type Send = (path: string, request: CallOptions & { expect?: number }) => Promise<{ text: string }>

/** Invites by mail, which a job sends, and accepts. */
async function invite(
  t: Test,
  { url, org, send, guest }: { url: string; org: string; send: Send; guest: RemoteUser },
): Promise<void> {
  const { id, email } = guest
  await send(`${org}/invitations`, { method: 'POST', json: { email, role: 'member' }, expect: 201 })
  let token: string | undefined
  await eventually(async () => {
    const { text } = await call(`${url}/dev/mail/messages?to=${encodeURIComponent(email)}`)
    token = /accept-invitation#token=([\w-]+)/.exec(text)?.[1]
    return token !== undefined
  }, 60)
  await send('/invitations/accept', {
    method: 'POST',
    json: { token, password: PASSWORD },
    token: guest.token,
  })
  t.match((await send(`${org}/members`, {})).text, new RegExp(id))
}

/** Creates a file, writes its content, and reads it again. */
async function storeFile(t: Test, url: string, { token }: RemoteUser): Promise<void> {
  const made = await call(url, { method: 'POST', token, json: { name: 'notes.txt' } })
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/octet-stream' }
  const content = `${url}/${JSON.parse(made.text).id}/content`
  const put = await fetch(content, { method: 'PUT', headers, body: 'some notes' })
  t.equal(put.status, 200, await put.text())
  t.equal((await call(content, { token })).text, 'some notes')
}

async function listen(t: Test, url: string, token: string, channel: string): Promise<Ear> {
  const ear = new Ear(t, `${url.replace('http', 'ws')}/realtime`, token)
  await ear.to(channel)
  return ear
}
