import { join } from 'node:path'
import t from 'tap'
import type { KeptMail } from '#services/mail/mailbox.ts'
import { createTestDatabase } from '#test/support/database.ts'
import { eventually } from '#test/support/eventually.ts'
import { call, type RemoteUser, signUpRemote } from '#test/support/http.ts'
import { tokenIn } from '#test/support/mails.ts'
import { startService } from '#test/support/process.ts'

// Many processes, on a machine that may be busy.
t.setTimeout(300_000)

const CLOCK = { nodeArgs: ['--import', join(import.meta.dirname, '../fixtures/clock.ts')] }

interface Tokens {
  access_token: string
  refresh_token: string
}

t.test('clocks a minute off either way', async (t) => {
  const db = await createTestDatabase(t)
  const env = { APP_DATABASE__URL: db.url, APP_DATABASE__MAX_CONNECTIONS: '4' }
  const services = await Promise.all(
    [60, 0, -60].map((seconds) => startService(t, { ...env, CLOCK_OFF: String(seconds) }, CLOCK)),
  )
  const [ahead, exact, behind] = services.map(({ url }) => url)
  if (ahead === undefined || exact === undefined || behind === undefined) throw new Error('there are three')
  const urls = [ahead, exact, behind]

  await t.test('they really are', async (t) => {
    for (const [n, off] of [60, 0, -60].entries()) {
      const { timestamp } = JSON.parse((await call(`${urls[n]}/live`)).text)
      const difference = (Date.parse(timestamp) - Date.now()) / 1000
      t.ok(Math.abs(difference - off) < 30, `${difference} s`)
    }
    for (const url of urls) t.match(await call(`${url}/ready`), { status: 200 })
  })

  await t.test('who signs in at one is signed in at all, at once', async (t) => {
    for (const url of urls) {
      const { token } = await signUpRemote(url)
      for (const other of urls) t.match(await call(`${other}/api/v1/users/me`, { token }), { status: 200 })
    }
  })

  await t.test('sessions are refreshed, listed and ended anywhere', async (t) => {
    for (const [from, to] of [
      [ahead, behind],
      [behind, ahead],
    ] as const) {
      const user = await signUpRemote(from)
      let { refresh_token, access_token } = await login(from, user)
      for (const url of [to, from, to]) {
        const answer = await call(`${url}/api/v1/auth/refresh`, { method: 'POST', json: { refresh_token } })
        t.equal(answer.status, 200)
        ;({ refresh_token, access_token } = JSON.parse(answer.text))
        const token = access_token
        t.match(await call(`${from}/api/v1/users/me`, { token }), { status: 200 })
        t.match(await call(`${to}/api/v1/users/me`, { token }), { status: 200 })
      }
      const token = access_token
      const sessions = await call(`${to}/api/v1/auth/sessions`, { token })
      t.equal(JSON.parse(sessions.text).data.length, 2)
      t.match(await call(`${to}/api/v1/auth/logout`, { method: 'POST', token }), { status: 204 })
      await eventually(async () => (await call(`${from}/api/v1/users/me`, { token })).status === 401)
    }
  })

  await t.test('a link that one mails is good at the other', async (t) => {
    for (const [from, to] of [
      [ahead, behind],
      [behind, ahead],
    ] as const) {
      const { email } = await signUpRemote(from)
      const asked = await call(`${from}/api/v1/auth/password/forgot`, { method: 'POST', json: { email } })
      t.equal(asked.status, 202)
      const token = tokenIn(await resetMail(exact, email))
      const json = { token, password: 'another correct horse' }
      t.match(await call(`${to}/api/v1/auth/password/reset`, { method: 'POST', json }), { status: 204 })
    }
  })

  await t.test('wrong passwords are counted together', async (t) => {
    const { email } = await signUpRemote(exact)
    const json = { email, password: 'a wrong password' }
    const statuses: number[] = []
    let retryAfter = 0
    for (let n = 0; n < 12; n++) {
      const answer = await call(`${urls[n % 3]}/api/v1/auth/login`, { method: 'POST', json })
      statuses.push(answer.status)
      retryAfter = Number(answer.headers['retry-after'] ?? 0)
    }
    t.same(statuses, [...Array.from({ length: 10 }, () => 401), 429, 429])
    t.ok(retryAfter > 0 && retryAfter <= 900, `${retryAfter} s`)
  })

  for (const service of services) {
    t.same(
      service.logs().filter(({ level }) => level === 'error' || level === 'fatal'),
      [],
      'nobody has to look at the log',
    )
  }
})

/** Signs in again. */
async function login(url: string, { email }: RemoteUser): Promise<Tokens> {
  const json = { email, password: 'correct horse battery staple' }
  return JSON.parse((await call(`${url}/api/v1/auth/login`, { method: 'POST', json })).text)
}

/** Waits for the mail with the link to choose another password. */
async function resetMail(url: string, to: string): Promise<KeptMail> {
  let mail: KeptMail | undefined
  await eventually(async () => {
    const { text } = await call(`${url}/dev/mail/messages?to=${encodeURIComponent(to)}`)
    const mails: KeptMail[] = JSON.parse(text).data
    mail = mails.find(({ text }) => text.includes('#token='))
    return mail !== undefined
  })
  if (mail === undefined) throw new Error('no mail came')
  return mail
}
