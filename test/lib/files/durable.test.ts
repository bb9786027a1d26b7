import { fstatSync, statSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import t, { type Test } from 'tap'
import { DirectoryStore } from '#lib/backup/directory-store.ts'
import { createCluster } from '#lib/embedded-postgres/cluster.ts'
import { openLayout } from '#lib/embedded-postgres/layout.ts'
import { NOTHING } from '#lib/object-store/appending.ts'
import { LocalStore } from '#lib/object-store/local-store.ts'

const KEY = '11'.repeat(16)
const bytes = () => Readable.from([Buffer.from('content')])

/** Hears of each file and folder that the disk is told to keep, by the number that the disk has for it. */
async function listen(t: Test): Promise<number[]> {
  const handle = await open(t.testdir({}))
  const prototype: FileHandle = Object.getPrototypeOf(handle)
  await handle.close()
  const kept: number[] = []
  for (const name of ['sync', 'datasync'] as const) {
    const original = prototype[name]
    t.intercept(prototype, name, {
      value(this: FileHandle) {
        kept.push(fstatSync(this.fd).ino)
        return original.call(this)
      },
    })
  }
  return kept
}

t.test('what is said to be there is there after a power loss too', async (t) => {
  const kept = await listen(t)
  const root = t.testdir({})
  /** Names, as they are now, of all that was kept since the last call, in its order. */
  const since = (...paths: string[]) => {
    const names = new Map(paths.map((path) => [statSync(join(root, path)).ino, path]))
    return kept.splice(0).map((number) => names.get(number) ?? 'something else')
  }

  const backups = new DirectoryStore(join(root, 'backups'))
  await backups.write('a.dump', bytes())
  t.strictSame(since('backups', 'backups/a.dump'), ['backups/a.dump', 'backups'], 'a backup')

  const store = new LocalStore(join(root, 'files'))
  const [path, folder] = [`files/11/${KEY}`, 'files/11']
  await store.write(KEY, bytes())
  t.strictSame(since('', 'files', folder, path), [folder, 'files', '', path, folder], 'with new folders')
  const second = KEY.replace(/1$/, '2')
  await store.write(second, bytes())
  t.strictSame(
    since(folder, `${folder}/${second}`),
    [`${folder}/${second}`, folder],
    'in a folder that was there',
  )

  const third = KEY.replace(/1$/, '3')
  const appending = await store.resume(third, NOTHING)
  t.strictSame(since(folder), [folder], 'the name of one that is begun')
  await appending.write(Buffer.from('abc'))
  const progress = await appending.settle()
  t.strictSame(since(`${folder}/${third}.part`), [`${folder}/${third}.part`])
  await appending.finish()
  t.strictSame(since(folder), [folder], 'and that of one that is whole')
  await appending.close()
  const again = await store.resume(third, progress)
  t.strictSame(since(folder), [], 'one that goes on has its name already')
  await again.close()

  const layout = await openLayout(join(root, 'server'))
  const launcher = {
    account: undefined,
    command: (_program: string, [place = '']: readonly string[]) => ({
      file: 'mkdir',
      args: [place.replace('--pgdata=', '')],
      options: {},
    }),
  }
  const binaries = { initdb: 'initdb', postgres: 'postgres' }
  for (const durable of [false, true]) {
    await createCluster(layout, binaries, launcher, { durable })
    t.equal(statSync(layout.cluster).isDirectory(), true)
    const expected = ['server/password', ...(durable ? ['server'] : [])]
    t.strictSame(since('server', 'server/password'), expected, 'a cluster, unless nobody will miss it')
  }
})
