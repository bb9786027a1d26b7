import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { v7 as uuidv7 } from 'uuid'
import { createKeyFile } from '#lib/signing-keys/signing-keys.ts'
import { auditCheckpointJob } from '#services/audit/jobs.ts'
import { sealBatch } from '#services/audit/sealer.ts'
import { createTestApp } from '#test/support/helper.ts'
import { createOrganization } from '#test/support/organizations.ts'

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
  const { app } = await createTestApp(t, {
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
  t.match(await readFile(join(kept, name), 'utf8'), /^groundwork\/audit\n(?:.*\n)+number 1\n/)

  await t.test('a copy that could not be written is written later', async (t) => {
    await rm(kept, { recursive: true })
    await writeFile(kept, 'no directory')
    await createOrganization(app)
    await sealBatch(app.ctx)
    await t.rejects(auditCheckpointJob.handler(app.ctx, {}, RUN), { code: 'EEXIST' })
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
