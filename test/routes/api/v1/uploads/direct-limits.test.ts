import t from 'tap'
import { DIRECT, PART, start } from '#test/support/direct-uploads.ts'
import { expectProblem } from '#test/support/expect-problem.ts'
import { createFile, putContent } from '#test/support/files.ts'
import { createTestApp } from '#test/support/helper.ts'
import { startBucket } from '#test/support/s3-stores.ts'
import { createUpload } from '#test/support/uploads.ts'

t.test('many parts, several uploads, and how long all of it lasts', async (t) => {
  const env = { APP_FILES__QUOTA_PER_USER: '4GiB', APP_FILES__MAX_SIZE: '2GiB' }
  const { app, db, request, signUp, begin, complete, verify } = await start(t, await startBucket(t), env)
  const as = await signUp()
  const little = await begin(as, 4)
  const before = Date.now()
  const large = await begin(as, 101 * PART)
  const signedUntil = Date.parse(large.parts_expire_at)
  t.ok(signedUntil >= before + 900_000 && signedUntil <= Date.now() + 900_000)
  t.match(large, { size: 101 * PART, part_size: PART, part_count: 101 })
  t.strictSame(
    large.parts.map(({ number }) => number),
    Array.from({ length: 100 }, (_, at) => at + 1),
    'one answer has a hundred URLs',
  )
  const sign = (numbers: number[]) =>
    request({ method: 'POST', url: `${DIRECT}/${large.id}/parts`, as, payload: { numbers } })
  t.match((await sign([101])).json().parts, [{ number: 101, size: PART }])
  const beyond = await sign([101, 102])
  expectProblem(t, beyond, { status: 400, code: 'invalid_upload' })
  t.equal(beyond.json().detail, 'There are 101 parts, and no 102.')
  const incomplete = await complete(as, large.id)
  expectProblem(t, incomplete, { status: 409, code: 'upload_incomplete' })
  t.equal(
    incomplete.json().detail,
    '101 parts have not come as they should: 1, 2, 3, 4, 5, 6, 7, 8, 9, 10.',
    'ten are named',
  )

  // The space of an upload is taken for an hour more than it lasts.
  const lasts = () =>
    db.query<{ id: string; beyond: string; completed: boolean; expires: Date }>(
      `SELECT u.id, (o.expires_at - u.expires_at)::text AS beyond, completed_at IS NOT NULL AS completed,
         u.expires_at AS expires FROM uploads u JOIN stored_objects o USING (key) ORDER BY u.id`,
    )
  const begun = await lasts()
  t.strictSame(
    begun.map(({ id, beyond, completed }) => [id, beyond, completed]),
    [little, large].map(({ id }) => [id, '01:00:00', false]),
  )
  t.strictSame(
    begun.map(({ expires }) => expires.toISOString()),
    [little.expires_at, large.expires_at],
  )
  await verify(as, little.id)
  t.strictSame(await lasts(), begun, 'nothing is read before its client says that all is there')
  await db.query("UPDATE uploads SET expires_at = now() + interval '1 minute'")
  await db.query("UPDATE stored_objects SET expires_at = now() + interval '1 minute'")
  await fetch(little.parts[0]?.url ?? '', { method: 'PUT', body: 'text' })
  t.equal((await complete(as, little.id)).statusCode, 202)
  const [completed, other] = await lasts()
  t.strictSame(completed, { ...begun[0], expires: completed?.expires, completed: true })
  t.ok(Number(completed?.expires) >= Date.parse(little.expires_at), 'and it begins again')
  t.match(other, { id: large.id, completed: false })

  // One of which the store knows nothing yet, and one that comes through the service.
  await db.query('UPDATE uploads SET store_upload_id = NULL WHERE id = $1', [large.id])
  const missing = { status: 404, code: 'upload_not_found' }
  expectProblem(t, await sign([1]), missing)
  expectProblem(t, await complete(as, large.id), missing)
  const through = await createUpload(app, as, 4)
  expectProblem(t, await complete(as, through.split('/').at(-1) ?? ''), missing)
})

t.test('what the quota has no room for leaves no file', async (t) => {
  const env = { APP_ROLE: 'web', APP_FILES__QUOTA_PER_USER: '1MiB' }
  const { db, request, signUp } = await createTestApp(t, { ...(await startBucket(t)), ...env })
  const payload = { name: 'film.mp4', size: 1024 * 1024 + 1 }
  const refused = await request({ method: 'POST', url: DIRECT, as: await signUp(), payload })
  expectProblem(t, refused, { status: 409, code: 'storage_quota_reached' })
  for (const table of ['files', 'uploads', 'stored_objects'])
    t.same(await db.query(`SELECT FROM ${table}`), [], table)
})

t.test('a local store takes nothing from clients', async (t) => {
  const { app, request, signUp } = await createTestApp(t, { APP_FILES__DIRECTORY: t.testdir() })
  const as = await signUp()
  const refused = { status: 404, code: 'direct_uploads_unavailable' }
  expectProblem(
    t,
    await request({ method: 'POST', url: DIRECT, as, payload: { name: 'a', size: 1 } }),
    refused,
  )
  t.equal((await putContent(app, as, await createFile(app, as), 'to the service')).statusCode, 200)
})
