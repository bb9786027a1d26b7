import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { openLayout } from '#lib/embedded-postgres/layout.ts'
import { findPostmaster } from '#lib/embedded-postgres/postmaster.ts'
import { killServer, start, startChild } from './embedded-servers.ts'
import { eventually } from './eventually.ts'
import { removeAbandoned } from './test-server.ts'

/** A folder as /dev/shm, in which folders of ours have names that begin as theirs. */
async function memoryFor(t: Test) {
  const memory = await mkdtemp(join(tmpdir(), 'groundwork-test-'))
  await chmod(memory, 0o777)
  const ours = (name: string) => join(memory, `groundwork-test-${userInfo().uid}-${name}`)
  t.teardown(async () => {
    for (const name of readdirSync(memory)) await killServer(join(memory, name))
    await rm(memory, { recursive: true, maxRetries: 5 })
  })
  return { memory, ours }
}

const runs = async (folder: string) => (await findPostmaster(await openLayout(folder))) !== undefined

t.test('a test server whose tree is gone is ended and removed, and no other', async (t) => {
  const { memory, ours } = await memoryFor(t)
  const [gone, used, unknown, foreign] = [
    ours('gone'),
    ours('used'),
    ours('unknown'),
    join(memory, 'foreign'),
  ]
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

t.test('one whose run was killed is ended too, and its data removed', async (t) => {
  const { memory, ours } = await memoryFor(t)
  const [dead, between, busy] = [ours('dead'), ours('between'), ours('busy')]
  const children = [startChild(t, dead), startChild(t, between), startChild(t, busy)] as const
  for (const child of children) await child.url()
  for (const folder of [dead, between, busy]) writeFileSync(join(folder, 'owner'), memory)
  const [gone] = children
  for (const folder of [dead, busy]) writeFileSync(join(folder, 'run'), String(gone.process.pid))
  writeFileSync(join(between, 'run'), String(process.pid))
  for (const child of children.slice(0, 2)) await child.kill()

  // The server hears of the end of a connection a moment later.
  await eventually(async () => {
    await removeAbandoned(memory)
    return !(await runs(dead))
  })
  t.notOk(existsSync(join(dead, 'cluster')))
  t.ok(await runs(between), 'its run lives, and the next file may use it')
  t.ok(await runs(busy), 'somebody uses it')
})
