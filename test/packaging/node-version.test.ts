import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'
import { copyFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import packageJson from '#package.json' with { type: 'json' }

const ROOT = join(import.meta.dirname, '../..')
const SENTENCE = /^Groundwork needs Node 24 or newer, and this is Node \S+ \(.*\)\.\n.*npm ci/

/** A Node of the system that is too old, as it is first in the PATH after an installation without scripts. */
function findOldNode(): string | undefined {
  return ['/usr/bin/node', '/usr/local/bin/node', '/bin/node'].find((file) => {
    const { stdout, error } = spawnSync(file, ['-p', 'process.versions.node'], { encoding: 'utf8' })
    return error === undefined && Number.parseInt(stdout, 10) < 24 && Number.parseInt(stdout, 10) >= 20
  })
}

t.test('every script that runs TypeScript looks at the version first', async (t) => {
  for (const [name, script] of Object.entries(packageJson.scripts)) {
    if (/\btap (?:build|--)/.test(script)) t.match(script, /^node node-version\.js && /, name)
    else if (/^node .*\.ts\b/.test(script)) t.match(script, /^node --import \.\/node-version\.js /, name)
  }
  t.match(await readFile(join(ROOT, 'deploy/build-image.sh'), 'utf8'), '\nnode node-version.js\n')
  t.equal(
    Number.parseInt(packageJson.engines.node.replace('>=', ''), 10),
    20,
    'npm does not warn of our own package',
  )
})

t.test('documents for a checkout say npm run, where the right Node is', async (t) => {
  const files = ['README.md', 'CONTRIBUTING.md', 'docs/extending.md', 'docs/architecture.md']
  for (const file of files)
    t.notMatch(await readFile(join(ROOT, file), 'utf8'), /`node (?:server|commands)/, file)
})

t.test('where a document runs Node itself, it says what an older one does', async (t) => {
  // Those of the image, whose Node is right, and the pages that say so.
  const pages = globSync('docs/**/*.md', { cwd: ROOT, exclude: ['docs/decisions/**'] })
  t.ok(pages.length > 20)
  for (const page of pages) {
    const text = await readFile(join(ROOT, page), 'utf8')
    if (/node (?:\S+ )*(?:server|commands\/\w+)\.ts/.test(text))
      t.match(text, /\bimage\b|docker compose/, page)
    for (const [command] of text.matchAll(/^ *node .*\bserver\.ts/gm))
      t.match(command, '--import ./node-version.js', page)
  }
  for (const page of ['docs/commands.md', 'docs/operations/start.md'])
    t.match(await readFile(join(ROOT, page), 'utf8'), 'ERR_UNKNOWN_FILE_EXTENSION', page)
})

t.test('the service and its commands look at the version before anything else', async (t) => {
  // A Node that reads TypeScript and is too old (22.18) then says so, too. Where a name of a built-in module is missing,
  // nothing runs at all: those that came within our own line (24) are taken from the module.
  t.match(await readFile(join(ROOT, 'server.ts'), 'utf8'), /^import '\.\/node-version\.js'\n/)
  t.match(await readFile(join(ROOT, 'commands/run-command.ts'), 'utf8'), /^import '\.\.\/node-version\.js'\n/)
  for (const file of globSync('commands/*.ts', { cwd: ROOT })) {
    const text = await readFile(join(ROOT, file), 'utf8')
    if (text.includes('process.argv')) t.match(text, /run-command\.ts'|^import '\.\.\/node-version/m, file)
  }
  for (const file of globSync('{commands,config,lib,plugins,process,services}/**/*.ts', { cwd: ROOT })) {
    t.notMatch(await readFile(join(ROOT, file), 'utf8'), /^import \{[^}]*\bsetGlobalProxyFromEnv\b/m, file)
  }
})

const old = findOldNode()
t.test('an old Node says what to do', { skip: old ? false : 'there is no Node 20 or 22' }, async (t) => {
  for (const args of [['--import', './node-version.js', 'server.ts'], ['node-version.js']]) {
    const { status, stderr } = spawnSync(String(old), args, { cwd: ROOT, encoding: 'utf8' })
    t.equal(status, 1)
    t.match(stderr, SENTENCE)
    t.notMatch(stderr, /Unknown file extension|at /)
  }
})

t.test('compiled code is kept from the first file of TypeScript on', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'compiled-'))
  t.teardown(() => rm(directory, { recursive: true, force: true }))
  for (const file of ['node-version.js', 'package.json']) {
    await copyFile(join(ROOT, file), join(directory, file))
  }
  await writeFile(join(directory, 'first.ts'), 'const one: number = 1\nprocess.stdout.write(String(one))\n')
  // Without the directory that the whole test run has for its own.
  const { NODE_COMPILE_CACHE: _, ...env } = process.env
  const args = ['--import', './node-version.js', 'first.ts']
  const { stdout } = spawnSync(process.execPath, args, { cwd: directory, env, encoding: 'utf8' })
  t.equal(stdout, '1')
  const kept = await readdir(join(directory, '.data/compile-cache'), { recursive: true })
  t.ok(kept.length > 1, 'a directory for this Node, and a file in it')
})
