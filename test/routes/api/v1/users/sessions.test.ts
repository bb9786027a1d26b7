import { randomUUID } from 'node:crypto'
import t from 'tap'
import { entriesOf } from '#test/support/audit.ts'
import { borrowTestApp } from '#test/support/borrow.ts'
import type { TestUser } from '#test/support/helper.ts'

t.test('sessions of a user', async (t) => {
  const { db, request, signUp } = await borrowTestApp(t)
  const admin = await signUp({ role: 'admin' })

  const urlOf = ({ user }: TestUser, id = '') => `/api/v1/users/${user.id}/sessions${id && `/${id}`}`

  const status = async (as: TestUser) => (await request({ url: '/api/v1/users/me', as })).statusCode

  const events = ({ user }: TestUser) => entriesOf(db, 'sessions.ended', user.id)

  t.test('an admin sees and ends the sessions of a user', async (t) => {
    const [user, bystander] = [await signUp(), await signUp()]
    const response = await request({ url: urlOf(user), as: admin })
    t.equal(response.statusCode, 200)
    t.match(response.json(), { data: [{ id: user.session_id, is_current: false }], next_cursor: null })

    const ended = await request({ method: 'DELETE', url: urlOf(user, user.session_id), as: admin })
    t.equal(ended.statusCode, 204)
    t.equal(await status(user), 401)
    const details = { session_id: user.session_id }
    t.match(await events(user), [{ actor_id: admin.user.id, details, ip: '127.0.0.1' }])
    const again = await request({ method: 'DELETE', url: urlOf(user, user.session_id), as: admin })
    t.equal(again.statusCode, 404)
    t.equal((await events(user)).length, 1, 'what did not happen is not recorded')

    t.equal((await request({ method: 'DELETE', url: urlOf(bystander), as: admin })).statusCode, 204)
    t.equal(await status(bystander), 401)
    t.equal((await events(bystander)).length, 1)
    t.equal(await status(admin), 200)
  })

  t.test('a session is only found under its own user', async (t) => {
    const [one, two] = [await signUp(), await signUp()]
    const response = await request({ method: 'DELETE', url: urlOf(one, two.session_id), as: admin })
    t.equal(response.statusCode, 404)
    t.equal(response.json().code, 'session_not_found')
    t.equal(await status(two), 200)
  })

  t.test('users see and end their own here too', async (t) => {
    const user = await signUp()
    t.match((await request({ url: urlOf(user), as: user })).json(), { data: [{ is_current: true }] })
    t.equal((await request({ method: 'DELETE', url: urlOf(user), as: user })).statusCode, 204)
    t.equal(await status(user), 200, 'but the one that asks')
    t.equal(
      (await request({ method: 'DELETE', url: urlOf(user, user.session_id), as: user })).statusCode,
      204,
    )
    t.equal(await status(user), 401)
    t.match(await events(user), [{ actor_id: user.user.id, details: { session_id: user.session_id } }])
  })

  t.test('ids in capitals are the same ids', async (t) => {
    const user = await signUp()
    const capitals = (path: string) => path.replace(/[0-9a-f-]{36}/g, (id) => id.toUpperCase())
    for (const as of [user, admin]) {
      const response = await request({ url: capitals(urlOf(user)), as })
      t.match(response.json(), { data: [{ id: user.session_id }] })
    }
    const other = await signUp()
    for (const as of [other, user]) {
      // The one by an admin, the other by its owner.
      const actor = as === other ? admin : as
      t.equal(await status(as), 200)
      const url = capitals(urlOf(as, as.session_id))
      t.equal((await request({ method: 'DELETE', url, as: actor })).statusCode, 204)
      t.equal(await status(as), 401, 'at once')
    }
    const own = await signUp()
    t.equal(await status(own), 200)
    const url = `/api/v1/auth/sessions/${own.session_id.toUpperCase()}`
    t.equal((await request({ method: 'DELETE', url, as: own })).statusCode, 204)
    t.equal(await status(own), 401, 'at once')
  })

  t.test('nobody else may, and nobody is told who exists', async (t) => {
    const [user, stranger] = [await signUp(), await signUp()]
    for (const id of [user.user.id, randomUUID()]) {
      const requests = [
        { method: 'GET', url: `/api/v1/users/${id}/sessions` },
        { method: 'DELETE', url: `/api/v1/users/${id}/sessions` },
        { method: 'DELETE', url: `/api/v1/users/${id}/sessions/${user.session_id}` },
        { method: 'DELETE', url: `/api/v1/users/${id}/sessions/${randomUUID()}` },
      ] as const
      for (const options of requests) {
        const response = await request({ ...options, as: stranger })
        t.equal(response.statusCode, 403)
        t.equal(response.json().code, 'forbidden')
        t.equal((await request(options)).statusCode, 401)
      }
    }
    t.equal(await status(user), 200)
  })
})
