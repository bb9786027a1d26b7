// Among the first, because it takes long.

import t from 'tap'
import { entriesOf } from '#test/support/audit.ts'
import { ENGINES } from '#test/support/engines.ts'
import { eventually } from '#test/support/eventually.ts'
import { createFile, putContent } from '#test/support/files.ts'
import type { TestUser } from '#test/support/helper.ts'
import { createOrganization } from '#test/support/organizations.ts'
import { Ear, published, tokenOf } from '#test/support/realtime.ts'

for (const [engine, { skip, start }] of Object.entries(ENGINES)) {
  t.test(`what one person alone is told, by the engine ${engine}`, { skip }, async (t) => {
    const one = await start(t, {
      APP_FILES__DIRECTORY: t.testdir(),
      APP_TENANCY__INVITATIONS_PER_ADDRESS: '20',
    })
    const { app, db, request, signUp, url } = one

    const listen = (user: TestUser) => new Ear(t, url, async () => tokenOf(user)).ready()
    /** Waits until an ear has heard so much on its own channel of things of a kind, and returns it. */
    const heard = async ({ toldOfUser }: Ear, domain: string, count: number) => {
      const told = () => toldOfUser.filter(({ type }) => type.startsWith(`${domain}.`))
      await eventually(async () => told().length >= count)
      return told().map(({ type, subject }) => `${type} ${subject}`)
    }

    await t.test('their own files', async (t) => {
      const [as, other] = [await signUp(), await signUp({ role: 'admin' })]
      const [ear, stranger] = [await listen(as), await listen(other)]
      const file = await createFile(app, as)
      const id = file.split('/').at(-1)
      const call = async (method: 'PATCH' | 'DELETE' | 'POST', path: string, payload?: object) => {
        const answer = await request({ method, url: `${file}${path}`, as, ...(payload ? { payload } : {}) })
        t.ok(answer.statusCode < 300, answer.body)
      }
      t.equal((await putContent(app, as, file, 'some text')).statusCode, 200)
      await call('PATCH', '', { name: 'another' })
      await call('DELETE', '')
      await call('POST', '/restore')
      await call('DELETE', '?permanently=true')
      const told = ['created', 'written', 'updated', 'trashed', 'restored', 'deleted']
      t.same(
        await heard(ear, 'files', told.length),
        told.map((what) => `files.${what} ${id}`),
      )
      ear.client.disconnect()
      const later = await createFile(app, as)
      await published(db)
      ear.client.connect()
      t.same(
        (await heard(ear, 'files', 7)).at(-1),
        `files.created ${later.split('/').at(-1)}`,
        'when it returns',
      )

      t.same(await heard(stranger, 'files', 0), [])
      const waiting = await db.query('SELECT FROM events WHERE told_to IS NOT NULL AND broker_at IS NULL')
      t.same(waiting, [], 'the broker has nothing of it')
      t.same(await entriesOf(db, 'files.%'), [])
      for (const { client } of [ear, stranger]) client.disconnect()
    })

    await t.test('invitations to them', async (t) => {
      const tenant = await createOrganization(app)
      const email = 'Case.Invited@example.com'
      const [as, unconfirmed, inactive] = [await signUp({ email }), await signUp(), await signUp()]
      const [ear, deaf] = [await listen(as), await listen(unconfirmed)]
      await db.query('UPDATE users SET email_verified_at = NULL WHERE id = $1', [unconfirmed.user.id])
      await db.query('UPDATE users SET is_active = false WHERE id = $1', [inactive.user.id])
      const inviter = await tenant.add('admin')
      const invitations = `${tenant.url}/invitations`
      const invite = async (to: string, by = tenant.owner) => {
        const payload = { email: to, role: 'member' }
        const made = await request({ method: 'POST', url: invitations, as: by, payload })
        t.equal(made.statusCode, 201, made.body)
        return made.json().id as string
      }
      for (const { user } of [unconfirmed, inactive]) await invite(user.email)
      const first = await invite(email.toUpperCase())
      t.same(await heard(ear, 'invitations', 1), [`invitations.created ${first}`])
      const received = () => request({ url: '/api/v1/users/me/invitations', as })
      t.match((await received()).json().data, [{ id: first }], 'it can load it')
      const resent = await request({
        method: 'POST',
        url: `${invitations}/${first}/resend`,
        as: tenant.owner,
      })
      t.equal(resent.statusCode, 200, resent.body)
      await heard(ear, 'invitations', 2)
      const revoked = await request({ method: 'DELETE', url: `${invitations}/${first}`, as: tenant.owner })
      t.equal(revoked.statusCode, 204, revoked.body)
      await heard(ear, 'invitations', 3)

      const second = await invite(email)
      await heard(ear, 'invitations', 4)
      const { token } = (await received()).json().data[0]
      await request({ method: 'POST', url: '/api/v1/invitations/decline', payload: { token } })
      await heard(ear, 'invitations', 5)

      const third = await invite(email, inviter)
      await heard(ear, 'invitations', 6)
      const demotion = { url: `${tenant.url}/members/${inviter.user.id}`, payload: { role: 'member' } }
      await request({ method: 'PATCH', as: tenant.owner, ...demotion })
      await heard(ear, 'invitations', 7)
      const another = await tenant.add('admin')
      const fourth = await invite(email, another)
      await heard(ear, 'invitations', 8)
      await request({ method: 'DELETE', url: `${tenant.url}/members/${another.user.id}`, as: tenant.owner })
      const leaving = await tenant.add('admin')
      const last = await invite(email, leaving)
      await heard(ear, 'invitations', 10)
      const closed = await request({ method: 'DELETE', url: '/api/v1/users/me', as: leaving })
      t.equal(closed.statusCode, 204, closed.body)
      t.same((await heard(ear, 'invitations', 11)).slice(1), [
        `invitations.resent ${first}`,
        `invitations.revoked ${first}`,
        `invitations.created ${second}`,
        `invitations.declined ${second}`,
        `invitations.created ${third}`,
        `invitations.revoked ${third}`,
        `invitations.created ${fourth}`,
        `invitations.revoked ${fourth}`,
        `invitations.created ${last}`,
        `invitations.revoked ${last}`,
      ])
      t.same((await received()).json().data, [])

      const fifth = await invite(email)
      await heard(ear, 'invitations', 12)
      const found = (await received()).json().data
      t.match(found, [{ id: fifth }])
      const payload = { token: found[0].token }
      await request({ method: 'POST', url: '/api/v1/invitations/accept', payload })
      t.same(await heard(ear, 'members', 1), [`members.added ${as.user.id}`])
      t.same(await heard(deaf, 'invitations', 0), [], 'whose list is empty hears nothing')
      const told = await db.query("SELECT DISTINCT told_to FROM events WHERE type LIKE 'invitations.%'")
      t.same(told.map(({ told_to }) => told_to).sort(), [as.user.id, null].sort())
      for (const { client } of [ear, deaf]) client.disconnect()
    })
  })
}
