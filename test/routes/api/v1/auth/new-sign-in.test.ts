import t from 'tap'
import { borrowTestApp } from '#test/support/borrow.ts'
import type { TestUser } from '#test/support/helper.ts'
import { allMails } from '#test/support/mails.ts'

t.test('a sign-in from a new device', async (t) => {
  const { app, db, signUp } = await borrowTestApp(t)

  async function signIn({ user, password }: TestUser, userAgent?: string): Promise<void> {
    const headers = { ...(userAgent === undefined ? {} : { 'user-agent': userAgent }) }
    const payload = { email: user.email, password }
    const url = '/api/v1/auth/login'
    t.equal((await app.inject({ method: 'POST', url, payload, headers })).statusCode, 200)
  }

  t.test('a sign-in from a device that was not seen before is told by mail', async (t) => {
    const user = await signUp()
    await db.query('DELETE FROM sessions WHERE user_id = $1', [user.user.id])
    const mails = () => allMails(app, db, user.user.email)
    await signIn(user, 'Browser/1.0')
    t.same(await mails(), [], 'nobody is told of the first')
    await signIn(user, 'Browser/1.0')
    t.same(await mails(), [], 'nor is the same again')
    await signIn(user, 'Phone <b>2.0</b>')
    const [mail, ...others] = await mails()
    t.same(others, [])
    t.equal(mail?.subject, 'New sign-in to your Groundwork account')
    t.match(mail?.text, '\nDevice: Unknown\n')
    t.match(mail?.text, '127.0.0.1')
    t.notMatch(`${mail?.text}${mail?.html}`, 'Phone', 'no text of who signs in')
    await db.query('UPDATE sessions SET ended_at = now() WHERE user_id = $1', [user.user.id])
    await signIn(user, 'Browser/1.0')
    await signIn(user, 'Phone <b>2.0</b>')
    t.equal((await mails()).length, 1, 'devices of ended sessions are known')
  })

  t.test('another user’s device is another device', async (t) => {
    const [one, two] = [await signUp(), await signUp()]
    await signIn(one, 'Shared/1.0')
    await signIn(two, 'Shared/1.0')
    t.equal((await allMails(app, db, two.user.email)).length, 1)
  })

  t.test('an admin who acted in the place of a user has made no device known', async (t) => {
    const [admin, user] = [await signUp({ role: 'admin' }), await signUp()]
    await db.query('DELETE FROM sessions WHERE user_id = $1', [user.user.id])
    const acting = await app.inject({
      method: 'POST',
      url: '/api/v1/operations/impersonations',
      payload: { user_id: user.user.id, minutes: 5, reason: 'Ticket 4711' },
      headers: { ...admin.headers, 'user-agent': 'Admin/1.0' },
    })
    t.equal(acting.statusCode, 200)
    const told = async () => {
      const mails = await allMails(app, db, user.user.email)
      return mails.filter(({ subject }) => subject === 'New sign-in to your Groundwork account').length
    }
    await signIn(user, 'Browser/1.0')
    t.equal(await told(), 0, 'it was the first of the user')
    await signIn(user, 'Admin/1.0')
    t.equal(await told(), 1)
  })

  t.test('a failed sign-in does not count', async (t) => {
    const { user } = await signUp()
    const payload = { email: user.email, password: 'wrong' }
    const headers = { 'user-agent': 'Other/1.0' }
    await app.inject({ method: 'POST', url: '/api/v1/auth/login', payload, headers })
    t.same(await allMails(app, db, user.email), [])
  })
})
