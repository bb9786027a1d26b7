import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type Layout, openLayout } from '#lib/embedded-postgres/layout.ts'
import {
  disownPidFile,
  endPostmaster,
  findPostmaster,
  isPostmaster,
} from '#lib/embedded-postgres/postmaster.ts'

async function layoutOf(t: Test, pidFile?: string): Promise<Layout> {
  const files = pidFile === undefined ? {} : { 'postmaster.pid': pidFile }
  return openLayout(t.testdir({ cluster: files }))
}

/** A process whose command line is that of a server on a cluster; it ends at a signal, as one does. */
async function startServerLike(t: Test, { cluster }: Layout): Promise<ChildProcess & { pid: number }> {
  const script = 'console.log(1); setInterval(() => {}, 1000)'
  const child = spawn(process.execPath, ['-e', script, 'postgres', '-D', cluster, '-c', 'port=1'])
  t.teardown(() => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  const { pid } = child
  if (pid === undefined) throw new Error('it did not start')
  return Object.assign(child, { pid })
}

t.test('a server is the process that the file names, if it serves this cluster', async (t) => {
  const layout = await layoutOf(t)
  const child = await startServerLike(t, layout)
  const write = (first: unknown, port = '5433') =>
    writeFileSync(join(layout.cluster, 'postmaster.pid'), [first, layout.cluster, 1, port, ''].join('\n'))
  t.equal(await findPostmaster(layout), undefined, 'without the file')
  write(child.pid)
  t.strictSame(await findPostmaster(layout), { pid: child.pid, port: 5433 })
  write(child.pid, '')
  t.strictSame(await findPostmaster(layout), { pid: child.pid, port: 0 }, 'in the first moments')
  for (const other of [process.pid, 1, 0, -child.pid, `${child.pid}.5`, 'x', '']) {
    write(other)
    t.equal(await findPostmaster(layout), undefined, `${other}`)
  }
  const another = await layoutOf(t)
  t.notOk(await isPostmaster(child.pid, { ...layout, cluster: `${layout.cluster}2` }))
  t.notOk(await isPostmaster(child.pid, { ...layout, cluster: layout.cluster.slice(0, -1) }))
  t.notOk(await isPostmaster(2 ** 30, another))
})

t.test('a server is ended by the signal, and its end is waited for', async (t) => {
  const layout = await layoutOf(t)
  const child = await startServerLike(t, layout)
  const ended = once(child, 'exit')
  await endPostmaster(layout, child.pid, 'SIGQUIT')
  t.notOk(await isPostmaster(child.pid, layout))
  t.strictSame(await ended, [null, 'SIGQUIT'])
  await endPostmaster(layout, child.pid, 'SIGINT')
  t.pass('nor is it an error when it has ended')
})

t.test('a file that names an unrelated process is made to name us, and keeps the rest', async (t) => {
  const layout = await layoutOf(t, '1\n/old\n17\n5433\n')
  await disownPidFile(layout)
  t.equal(readFileSync(join(layout.cluster, 'postmaster.pid'), 'utf8'), `${process.pid}\n/old\n17\n5433\n`)
  const empty = await layoutOf(t)
  await disownPidFile(empty)
  t.notOk(existsSync(join(empty.cluster, 'postmaster.pid')), 'none is made')
})
