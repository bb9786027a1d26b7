import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { v7 as uuidv7 } from 'uuid'
import { createKeyFile } from '#lib/signing-keys/signing-keys.ts'
import { readCopies } from '#services/audit/copies.ts'
import { auditCheckpointJob, verifyAuditLogJob } from '#services/audit/jobs.ts'
import { sealBatch } from '#services/audit/sealer.ts'
import { createTestApp } from '#test/support/helper.ts'
import { createOrganization } from '#test/support/organizations.ts'
import { startS3 } from '#test/support/s3-server.ts'

const RUN = {
  id: uuidv7(),
  attempt: 1,
  signal: new AbortController().signal,
  complete: async () => undefined,
}

t.test('checkpoints are kept outside the database, and keys that signed before still count', async (t) => {
  const directory = t.testdir({ kept: {} })
  const kept = join(directory, 'kept')
  const [key, before] = [await createKeyFile(directory), await createKeyFile(directory)]
  const { app, logs } = await createTestApp(t, {
    APP_ROLE: 'web',
    APP_AUDIT__SIGNING_KEY_FILE: key.file,
    APP_AUDIT__VERIFICATION_KEY_FILES: before.file,
    APP_AUDIT__CHECKPOINT_DIRECTORY: kept,
  })
  const { keyRing, noteKeys } = app.ctx.audit
  t.same([keyRing?.signing.kid, keyRing?.others[0]?.kid], [key.kid, before.kid])
  t.equal(noteKeys.length, 2)
  await createOrganization(app)
  await sealBatch(app.ctx)
  await auditCheckpointJob.handler(app.ctx, {}, RUN)
  const [name = ''] = await readdir(kept)
  const note = await readFile(join(kept, name), 'utf8')
  t.match(note, /^groundwork\/audit\n(?:.*\n)+number 1\n/)
  t.match(
    logs().filter(({ msg }) => msg === 'checkpoint of the audit log'),
    [{ level: 'info', checkpoint: 1, note }],
  )

  await t.test('a copy that could not be written is written later', async (t) => {
    await rm(kept, { recursive: true })
    await writeFile(kept, 'no directory')
    await createOrganization(app)
    await sealBatch(app.ctx)
    await t.rejects(auditCheckpointJob.handler(app.ctx, {}, RUN), { errors: [{ code: 'ENOTDIR' }] })
    await rm(kept)
    await auditCheckpointJob.handler(app.ctx, {}, RUN)
    t.strictSame((await readdir(kept)).sort(), [name, name.replace('1.', '2.')])
  })

  await t.test('a copy is never replaced', async (t) => {
    const file = join(kept, name.replace('1.', '2.'))
    const note = await readFile(file, 'utf8')
    await writeFile(file, 'of before a restore')
    await t.rejects(auditCheckpointJob.handler(app.ctx, {}, RUN), /has another checkpoint 2/)
    t.equal(await readFile(file, 'utf8'), 'of before a restore')
    await writeFile(file, note)
    await auditCheckpointJob.handler(app.ctx, {}, RUN)
  })
})

t.test('checkpoints are kept in a bucket, whatever becomes of the other place', async (t) => {
  const s3 = await startS3(t)
  const directory = t.testdir({ file: 'no directory' })
  const { app } = await createTestApp(t, {
    APP_ROLE: 'web',
    APP_AUDIT__CHECKPOINT_DIRECTORY: join(directory, 'file'),
    APP_AUDIT__CHECKPOINT_S3__BUCKET: 'bucket',
    APP_AUDIT__CHECKPOINT_S3__PREFIX: 'checkpoints/',
    APP_AUDIT__CHECKPOINT_S3__REGION: 'eu-central-1',
    APP_AUDIT__CHECKPOINT_S3__ENDPOINT: s3.endpoint,
    APP_AUDIT__CHECKPOINT_S3__ACCESS_KEY_ID: s3.credentials.AWS_ACCESS_KEY_ID,
    APP_AUDIT__CHECKPOINT_S3__SECRET_ACCESS_KEY: s3.credentials.AWS_SECRET_ACCESS_KEY,
  })
  const checkpoint = async () => {
    await createOrganization(app)
    await sealBatch(app.ctx)
    await auditCheckpointJob.handler(app.ctx, {}, RUN)
  }
  await t.rejects(checkpoint(), AggregateError, 'the directory is a file')
  const [first] = s3.objects.keys()
  t.equal(first, 'bucket/checkpoints/checkpoint-000000000001.txt')
  t.match(s3.objects.get(first ?? '')?.toString(), /^groundwork\/audit\n/)

  s3.busy('PUT', 1000)
  await t.rejects(checkpoint(), AggregateError)
  t.equal(s3.objects.size, 1)
  s3.busy('PUT', 0)
  await rm(join(directory, 'file'))
  await checkpoint()
  t.equal(s3.objects.size, 3, 'the one that could not be written too')
  t.equal((await readdir(join(directory, 'file'))).length, 3)
  const [bucket] = app.ctx.audit.copyPlaces.filter(({ place }) => place.startsWith('s3://'))
  if (bucket === undefined) throw new Error('no bucket')
  t.match(await readCopies(bucket), [/number 1\n/, /number 2\n/, /number 3\n/])

  const last = 'bucket/checkpoints/checkpoint-000000000003.txt'
  s3.objects.set(last, Buffer.from('of before a restore'))
  await t.rejects(auditCheckpointJob.handler(app.ctx, {}, RUN), /has another checkpoint 3/)
  t.equal(s3.objects.get(last)?.toString(), 'of before a restore')
})

t.test(
  'both jobs say at error level that somebody has tampered with it, and name no more than twenty',
  async (t) => {
    const { app, db, logs } = await createTestApp(t, { APP_ROLE: 'web' })
    await createOrganization(app)
    await sealBatch(app.ctx)
    await auditCheckpointJob.handler(app.ctx, {}, RUN)
    await verifyAuditLogJob.handler(app.ctx, {}, RUN)
    const alarms = () => logs().filter(({ msg }) => msg === 'the audit log has been tampered with')
    t.strictSame(alarms(), [], 'nothing is wrong')
    const results = () =>
      db.query(
        'SELECT kind, problems::int, entries > 0 AS "hasEntries" FROM audit_verifications ORDER BY kind',
      )
    t.strictSame(await results(), [
      { kind: 'all', problems: 0, hasEntries: true },
      { kind: 'new', problems: 0, hasEntries: true },
    ])

    for (let count = 0; count < 21; count++) await createOrganization(app)
    await sealBatch(app.ctx)
    await db.querySuper(`SET session_replication_role = replica`)
    await db.querySuper(`UPDATE audit_entries SET action = 'another'`)
    await auditCheckpointJob.handler(app.ctx, {}, RUN)
    await verifyAuditLogJob.handler(app.ctx, {}, RUN)
    const [news, all] = alarms()
    t.match(all, { level: 'error', count: Number, problems: Array })
    t.ok(Number(news?.['count']) > 20)
    t.ok(Number(all?.['count']) > Number(news?.['count']), 'the first ones too')
    t.match(news?.['problems'], { length: 20, 0: { kind: 'entry_changed' } })
    t.strictSame(await results(), [
      { kind: 'all', problems: all?.['count'], hasEntries: true },
      { kind: 'new', problems: news?.['count'], hasEntries: true },
    ])
  },
)
