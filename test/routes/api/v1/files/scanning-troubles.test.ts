import type { Readable } from 'node:stream'
import t from 'tap'
import { scanFileJob, scanWaitingFilesJob } from '#services/files/jobs.ts'
import { CLAMD_MAX_BYTES, MALWARE, startClamd, WITHOUT_CLAMD } from '#test/support/clamd.ts'
import { eventually } from '#test/support/eventually.ts'
import { createFullFile } from '#test/support/files.ts'
import { createTestApp } from '#test/support/helper.ts'
import { NOBODY, RUN, start } from './scanned-files.ts'

const FILES = '/api/v1/files'

t.test('with on_error = pass, what was not scanned can be read', { skip: WITHOUT_CLAMD }, async (t) => {
  const clamd = await startClamd(t)
  const settings = { APP_FILES__SCAN__ADDRESS: clamd.address, APP_FILES__SCAN__ON_ERROR: 'pass' }
  const test = await start(t, settings)
  const { app, db, request, signUp, scanNew } = test
  const as = await signUp()
  // Within our own limit, and beyond that of clamd.
  const large = await createFullFile(app, as, Buffer.alloc(3 * CLAMD_MAX_BYTES))
  await scanNew()
  for (let attempt = 0; attempt < 3; attempt++) await test.scanWaiting()
  t.match((await request({ url: large, as })).json(), { status: 'ready' })
  await clamd.kill()
  const file = await createFullFile(app, as, 'passes')
  await scanNew()
  await test.scanWaiting()
  t.match((await request({ url: file, as })).json(), { status: 'scanning' })
  await test.scanWaiting()
  t.equal((await request({ url: `${file}/content`, as })).body, 'passes')
  t.match(await db.query('SELECT scan, scan_finding FROM files WHERE scan_attempts = 3 AND size = 6'), [
    { scan: 'passed', scan_finding: 'scanner_failed' },
  ])
})

t.test('a content whose bytes are gone does not hold up others', { skip: WITHOUT_CLAMD }, async (t) => {
  const { address } = await startClamd(t)
  const test = await start(t, { APP_FILES__SCAN__ADDRESS: address })
  const { app, db, request, signUp } = test
  const as = await signUp()
  const lost = await createFullFile(app, as, 'lost')
  const [row] = await db.query<{ key: string }>("SELECT key FROM files WHERE scan = 'waiting'")
  await app.ctx.storage.store?.remove(row?.key ?? '')
  const file = await createFullFile(app, as, 'there')
  await test.scanWaiting()
  await test.scanWaiting()
  t.match((await request({ url: file, as })).json(), { status: 'ready' })
  t.match((await request({ url: lost, as })).json(), { status: 'scanning' })
})

t.test('a worker scans by itself', { skip: WITHOUT_CLAMD }, async (t) => {
  const { address } = await startClamd(t)
  const env = { APP_FILES__SCAN__ADDRESS: address, APP_FILES__DIRECTORY: t.testdir() }
  const { app, request, signUp } = await createTestApp(t, { ...env, APP_ROLE: 'all' })
  const as = await signUp()
  const file = await createFullFile(app, as, MALWARE)
  await eventually(async () => (await request({ url: file, as })).json().status === 'quarantined')
})

t.test('a scanner that is away leaves no file open', async (t) => {
  const test = await start(t, { APP_FILES__SCAN__ADDRESS: NOBODY })
  const { app, db, signUp } = test
  const { store } = app.ctx.storage
  if (store === undefined) throw new TypeError('there is a store')
  const read = store.read.bind(store)
  const opened: Readable[] = []
  t.capture(store, 'read', async (key: string) => {
    const content = await read(key)
    opened.push(content)
    return content
  })
  const file = await createFullFile(app, await signUp(), 'waits')
  for (let attempt = 0; attempt < 5; attempt++) await test.scanWaiting()
  t.match(await db.query('SELECT scan, scan_attempts FROM files'), [{ scan: 'waiting', scan_attempts: 5 }])
  t.same(
    opened.map(({ destroyed }) => destroyed),
    Array(5).fill(true),
  )
  const failure = { level: 'warn', file_id: file.split('/').at(-1), err: { type: 'ClamdUnavailable' } }
  const said = test.logs().filter(({ msg }) => msg === 'a content could not be scanned')
  t.match(said, Array(5).fill(failure))

  const waiting = await db.query<{ space: string; id: string; key: string }>(
    'SELECT space_id AS space, id, key FROM files',
  )
  const signal = AbortSignal.abort(new Error('the process ends'))
  for (const each of waiting)
    await t.rejects(scanFileJob.handler(app.ctx, each, { ...RUN, signal }), { message: 'the process ends' })
  t.match(await db.query('SELECT scan_attempts FROM files'), [{ scan_attempts: 5 }], 'that is not a failure')
})

t.test('what waits for a scanner that was turned off, is passed', async (t) => {
  const test = await start(t, { APP_FILES__SCAN__ADDRESS: NOBODY })
  const { app, db, request, signUp } = test
  const as = await signUp()
  const file = await createFullFile(app, as, 'waits')
  await db.query("UPDATE files SET written_at = written_at - interval '2 minutes'")
  const { files } = app.ctx
  await scanWaitingFilesJob.handler({ ...app.ctx, files: { ...files, scanning: undefined } }, {}, RUN)
  t.equal((await request({ url: `${file}/content`, as })).body, 'waits')
  t.match(await request({ url: FILES, as }), { statusCode: 200 })
})
