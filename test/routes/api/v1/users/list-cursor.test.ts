import t from 'tap'
import { borrowTestApp } from '#test/support/borrow.ts'
import { expectProblem } from '#test/support/expect-problem.ts'
import type { TestApp } from '#test/support/helper.ts'

const URL = '/api/v1/users'

t.test('listUsers takes the cursors that it gave out, and no other', async (t) => {
  const testApp = await borrowTestApp(t)
  const { app, request, signUp } = testApp
  const as = await signUp({ role: 'admin' })
  const { user } = await signUp()
  await signUp()
  const cursor = await firstCursor(testApp, as)
  t.equal((await request({ url: `${URL}?cursor=${cursor}`, as })).statusCode, 200)
  t.equal((await request({ url: `${URL}?cursor=${cursor}&limit=2&role=user`, as })).statusCode, 200)

  const foreign = await borrowTestApp(t, { APP_JWT__SECRET: 'another key, and long enough to be taken' })
  const bytes = Buffer.from(cursor, 'base64url')
  const flipped = (index: number) => {
    const copy = Buffer.from(bytes)
    copy.writeUInt8(copy.readUInt8(index) ^ 1, index)
    return copy.toString('base64url')
  }
  const rows = [
    ['an id', user.id],
    ['an id in base64url', Buffer.from(user.id).toString('base64url')],
    ['a number', '20'],
    ['without its end', cursor.slice(0, -1)],
    ['without its beginning', cursor.slice(1)],
    ['only the signature', bytes.subarray(0, 16).toString('base64url')],
    ['shorter than a signature', bytes.subarray(0, 15).toString('base64url')],
    ['one bit of the signature', flipped(0)],
    ['one bit of the position', flipped(bytes.length - 1)],
    ['longer', `${cursor}AA`],
    ['padded', `${cursor}%3D`],
    ['with a space', `${cursor}%20`],
    ['with a newline', `${cursor}%0A`],
    ['in capitals', cursor.toUpperCase()],
    ['twice', cursor + cursor],
    ["another list's", app.ctx.cursors.encode('things', user.id)],
    ["another service's", foreign.app.ctx.cursors.encode('users', user.id)],
    ['no base64', '!!!!'],
    ['Unicode', '%E7%94%A8'],
  ] as const
  for (const [name, forged] of rows) {
    const response = await request({ url: `${URL}?cursor=${forged}`, as })
    expectProblem(t, response, { status: 400, code: 'invalid_cursor' }, name)
  }
})

t.test('a cursor holds on every instance with the same key', async (t) => {
  const testApp = await borrowTestApp(t)
  const as = await testApp.signUp({ role: 'admin' })
  await testApp.signUp()
  const cursor = await firstCursor(testApp, as)
  const other = await borrowTestApp(t, { APP_DATABASE__URL: testApp.db.url })
  const response = await other.request({ url: `${URL}?cursor=${cursor}`, as })
  t.same(
    response.json().data.map((user: { id: string }) => user.id),
    [as.user.id],
  )
})

async function firstCursor(
  { request }: TestApp,
  as: Awaited<ReturnType<TestApp['signUp']>>,
): Promise<string> {
  return (await request({ url: `${URL}?limit=1`, as })).json().next_cursor
}
