import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { openLayout } from '#lib/embedded-postgres/layout.ts'
import { findPostmaster } from '#lib/embedded-postgres/postmaster.ts'
import { killServer, start } from './embedded-servers.ts'
import { removeAbandoned } from './test-server.ts'

t.test('a test server whose tree is gone is ended and removed, and no other', async (t) => {
  const memory = await mkdtemp(join(tmpdir(), 'groundwork-test-'))
  await chmod(memory, 0o777)
  const ours = (name: string) => join(memory, `groundwork-test-${userInfo().uid}-${name}`)
  const [gone, used, unknown, foreign] = [
    ours('gone'),
    ours('used'),
    ours('unknown'),
    join(memory, 'foreign'),
  ]
  t.teardown(async () => {
    if (existsSync(gone)) await killServer(gone)
    await rm(memory, { recursive: true, maxRetries: 5 })
  })
  for (const folder of [used, unknown, foreign]) mkdirSync(folder)
  await start(gone)
  writeFileSync(join(gone, 'owner'), join(memory, 'no-such-tree'))
  writeFileSync(join(foreign, 'owner'), join(memory, 'no-such-tree'))
  writeFileSync(join(used, 'owner'), memory)
  const postmaster = await findPostmaster(await openLayout(gone))
  t.ok(postmaster)

  await removeAbandoned(memory)
  t.same([gone, used, unknown, foreign].map(existsSync), [false, true, true, true])
  t.throws(() => process.kill(postmaster?.pid ?? 0, 0), 'it has ended')
})
