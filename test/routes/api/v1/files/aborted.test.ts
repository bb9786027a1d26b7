import { connect } from 'node:net'
import t, { type Test } from 'tap'
import { deleteAllExpired } from '#lib/cleanup/expired-rows.ts'
import { expiry } from '#services/uploads/expiry.ts'
import { amount } from '#test/support/amount.ts'
import { eventually } from '#test/support/eventually.ts'
import { createFile, keysOf, sweep } from '#test/support/files.ts'
import { createTestApp, type TestUser } from '#test/support/helper.ts'
import { openFilesIn } from '#test/support/open-files.ts'
import { listen } from '#test/support/raw-http.ts'
import { createUpload } from '#test/support/uploads.ts'

const ABORTED = amount({ few: 100, many: 1000, variable: 'ABORTED_UPLOADS' })
const AT_ONCE = 50

/** Bytes that are said to come, and those that do. */
const [LENGTH, SENT] = [300_000, 100_000]

/** Sends a part of a body and goes. */
function leave(t: Test, port: number, head: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    t.teardown(() => socket.destroy())
    socket.on('error', () => undefined)
    socket.once('close', () => resolve())
    socket.write(`${head}Content-Length: ${LENGTH}\r\n\r\n${'x'.repeat(SENT)}`, () => socket.destroy())
  })
}

t.test('clients that leave in the middle of an upload leave nothing', async (t) => {
  const directory = t.testdir({})
  const { app, db, request, signUp, logs } = await createTestApp(t, {
    APP_FILES__DIRECTORY: directory,
    APP_RATE_LIMIT__ENABLED: 'false',
    APP_ROLE: 'web',
  })
  const port = await listen(app)
  const left = () => logs().filter(({ status }) => status === 499).length

  /** Many at once, and again; each way ends when the service has noticed. */
  async function abort(headOf: () => Promise<string>): Promise<void> {
    const before = left()
    for (let n = 0; n < ABORTED; n += AT_ONCE) {
      await Promise.all(Array.from({ length: AT_ONCE }, async () => leave(t, port, await headOf())))
      await eventually(async () => left() >= before + n + AT_ONCE)
    }
  }
  const head = (as: TestUser, line: string, headers = '') =>
    `${line} HTTP/1.1\r\nHost: a\r\nAuthorization: ${as.headers.authorization}\r\n${headers}`

  async function isNothingLeft(t: Test, as: TestUser): Promise<void> {
    await sweep(app)
    t.same(await keysOf(app), [], 'no object, whole or not')
    t.same((await openFilesIn(directory)) ?? [], [], 'no open file')
    t.equal((await request({ url: '/api/v1/files/usage', as })).json().bytes, 0, 'no space')
    t.same(
      logs().filter(({ level }) => level === 'error'),
      [],
      'nobody has to look',
    )
  }

  await t.test('in one request', async (t) => {
    const as = await signUp()
    const file = await createFile(app, as)
    await abort(async () => head(as, `PUT ${file}/content`))
    const isWriting = async () =>
      (await db.query("SELECT 1 FROM stored_objects WHERE state = 'writing'")).length > 0
    await eventually(async () => !(await isWriting()))
    await isNothingLeft(t, as)
  })

  await t.test('by tus, and nobody goes on', async (t) => {
    const as = await signUp()
    await abort(async () => {
      const upload = await createUpload(app, as, LENGTH)
      const own =
        'Tus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\nContent-Type: application/offset+octet-stream\r\n'
      return head(as, `PATCH ${upload}`, own)
    })
    const isHeld = async () =>
      (await db.query('SELECT 1 FROM object_appends WHERE holder IS NOT NULL')).length > 0
    await eventually(async () => !(await isHeld()))
    t.same((await openFilesIn(directory)) ?? [], [], 'no open file while they may go on')
    // As if a day had gone by, and the minute that a writer has to notice.
    await db.query("UPDATE uploads SET expires_at = now() - interval '1 minute'")
    await deleteAllExpired(app.db, expiry, new AbortController().signal)
    await db.query("UPDATE stored_objects SET expires_at = now() WHERE state = 'doomed'")
    await isNothingLeft(t, as)
  })
})
