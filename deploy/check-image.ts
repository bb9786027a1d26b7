/**
 * Looks into the root file system of a built image for what should not be there, and lists it:
 * `node deploy/check-image.ts ROOTFS`. Exits with 1 when it finds something, with 2 when it can't look.
 */
import { globSync, lstatSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

interface LockedPackage {
  version?: string
  dev?: boolean
}

const ROOT = join(import.meta.dirname, '..')

/** Remains of builders and people, from the root of the image. */
const REMAINS: Readonly<Record<string, readonly string[]>> = {
  "npm's cache": ['**/.npm/**', '**/_cacache/**', '**/_logs/**', '**/npm-debug.log*'],
  'another cache': ['root/.cache/**', 'home/*/.cache/**', 'tmp/node-compile-cache/**'],
  'a history': ['**/.*_history', '**/.lesshst', '**/.viminfo'],
  'a credential': ['**/.npmrc', '**/.netrc', '**/.git-credentials', '**/.docker/config.json', '**/.ssh/**'],
}

/** Files that are not for production, from /app. */
const UNWANTED: Readonly<Record<string, readonly string[]>> = {
  'settings of a machine': ['config/local.toml', '**/.env*', 'deploy/secrets/**'],
  'of development': [
    ...['.git', '.ci', '.data', '.tap', 'test', 'bench', 'docs', 'package-lock.json'],
    'commands/openapi.ts',
  ],
}

/** Paths that change from one moment to the next, or hold nothing that a build has put there. */
const NOT_OURS = new Set(['proc', 'sys', 'dev'])

function check(rootfs: string): string[] {
  const app = join(rootfs, 'app')
  return [
    ...find(rootfs, REMAINS),
    ...find(app, UNWANTED).map((problem) => problem.replace(': ', ': app/')),
    ...checkPackages(app),
    ...checkModes(app),
  ]
}

function find(directory: string, patterns: Readonly<Record<string, readonly string[]>>): string[] {
  const exclude = (name: string) => NOT_OURS.has(name)
  return Object.entries(patterns).flatMap(([kind, globs]) =>
    globSync([...globs], { cwd: directory, exclude }).map((path) => `${kind}: ${path}`),
  )
}

/** The packages must be those of the lockfile that production needs, in its versions. */
function checkPackages(app: string): string[] {
  const lock: { packages: Record<string, LockedPackage> } = JSON.parse(
    readFileSync(join(ROOT, 'package-lock.json'), 'utf8'),
  )
  const manifests = globSync(
    ['node_modules/**/node_modules/{*,@*/*}/package.json', 'node_modules/{*,@*/*}/package.json'],
    { cwd: app },
  )
  if (manifests.length === 0) return ['no packages: app/node_modules is empty']
  return manifests.flatMap((manifest) => {
    const path = manifest.slice(0, -'/package.json'.length)
    const locked = lock.packages[path]
    if (locked === undefined) return [`not in the lockfile: app/${path}`]
    if (locked.dev) return [`a development dependency: app/${path}`]
    const { version } = JSON.parse(readFileSync(join(app, manifest), 'utf8'))
    return version === locked.version ? [] : [`another version than the lockfile's: app/${path} ${version}`]
  })
}

/** The service runs as a user who must not be able to change its code. */
function checkModes(app: string): string[] {
  return globSync('**', { cwd: app }).flatMap((path) => {
    const status = lstatSync(join(app, path))
    const isWritable = (status.mode & 0o022) !== 0 || status.uid === 10001
    return isWritable && !status.isSymbolicLink() ? [`writable by the service or by all: app/${path}`] : []
  })
}

const [, , rootfs] = process.argv
if (rootfs === undefined || !statSync(join(rootfs, 'app/server.ts'), { throwIfNoEntry: false })) {
  process.stderr.write('usage: node deploy/check-image.ts ROOTFS, which has the service in /app\n')
  process.exitCode = 2
} else {
  const problems = check(rootfs)
  for (const problem of problems) process.stdout.write(`${problem}\n`)
  process.stdout.write(`${problems.length} problems found\n`)
  process.exitCode = problems.length === 0 ? 0 : 1
}
