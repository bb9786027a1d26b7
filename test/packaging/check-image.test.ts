import { chmod, cp, mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { environment, startProcess } from '#test/support/process.ts'

const ROOT = join(import.meta.dirname, '../..')

/** A root file system with something of what the image holds. */
async function layOut(t: Test): Promise<string> {
  const rootfs = join(t.testdirName, 'rootfs')
  for (const name of [
    'server.ts',
    'package.json',
    'config',
    'node_modules/fastify',
    'node_modules/@fastify/cors',
  ]) {
    const filter = (path: string) => !path.endsWith('local.toml')
    await cp(join(ROOT, name), join(rootfs, 'app', name), { recursive: true, filter })
  }
  await put(rootfs, 'root/.bashrc')
  return rootfs
}

async function put(rootfs: string, path: string, content = ''): Promise<void> {
  const file = join(rootfs, path)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, content)
}

async function check(t: Test, rootfs: string) {
  const args = ['deploy/check-image.ts', rootfs]
  const command = startProcess(t, process.execPath, args, { cwd: ROOT, env: environment() })
  const { code } = await command.exited
  return { code, lines: command.stdout().split('\n').slice(0, -2).sort(), stderr: command.stderr() }
}

t.test('an image that is as it should be', async (t) => {
  const rootfs = await layOut(t)
  t.strictSame(await check(t, rootfs), { code: 0, lines: [], stderr: '' })
})

t.test('what should not be there is named', async (t) => {
  const rootfs = await layOut(t)
  const planted = [
    'root/.npm/_cacache/index',
    'root/.bash_history',
    'home/node/.node_repl_history',
    'app/.npmrc',
    'app/config/local.toml',
    'app/docs',
    'app/package-lock.json',
    'app/commands/openapi.ts',
  ]
  for (const path of planted) await put(rootfs, path)
  await put(rootfs, 'app/test/helper.ts')
  const { version } = JSON.parse(await readFile(join(ROOT, 'node_modules/tap/package.json'), 'utf8'))
  await put(rootfs, 'app/node_modules/tap/package.json', JSON.stringify({ version }))
  await put(rootfs, 'app/node_modules/unheard-of/package.json', '{"version":"1.0.0"}')
  await put(rootfs, 'app/node_modules/fastify/package.json', '{"version":"1.0.0"}')
  await put(rootfs, 'app/node_modules/fastify/node_modules/inner/package.json', '{"version":"1.0.0"}')
  await chmod(join(rootfs, 'app/server.ts'), 0o666)
  await chmod(join(rootfs, 'app/config'), 0o777)

  const { code, lines } = await check(t, rootfs)
  t.equal(code, 1)
  const found = lines.map((line) => line.replace(/^.*?: /, ''))
  for (const path of planted) t.ok(found.includes(path), path)
  for (const line of [
    'a development dependency: app/node_modules/tap',
    'not in the lockfile: app/node_modules/unheard-of',
    'not in the lockfile: app/node_modules/fastify/node_modules/inner',
    "another version than the lockfile's: app/node_modules/fastify 1.0.0",
    'of development: app/test',
    'writable by the service or by all: app/server.ts',
    'writable by the service or by all: app/config',
  ]) {
    t.ok(lines.includes(line), line)
  }
})

t.test('without an image it says what it wants', async (t) => {
  const empty = t.testdir({})
  t.match(await check(t, empty), { code: 2, lines: [], stderr: /^usage: / })
})
