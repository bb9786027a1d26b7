import { execFile } from 'node:child_process'
import { cp, mkdir, readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Figure, FigureOptions } from './scenario.ts'

const run = promisify(execFile)
const ROOT = join(import.meta.dirname, '../..')

/** The project's files that `npm ci` needs. */
const MANIFESTS = ['package.json', 'package-lock.json', '.npmrc']

/**
 * The cost of a deployment: the time of `npm ci --omit=dev`, and what the image has on top of its base, which is
 * what that installs and what the Dockerfile copies.
 */
export async function measureInstall(directory: string, { onWork }: FigureOptions): Promise<Figure[]> {
  onWork('npm ci --omit=dev')
  const target = join(directory, 'install')
  await mkdir(target)
  for (const name of MANIFESTS) await cp(join(ROOT, name), join(target, name))
  const begin = performance.now()
  await run('npm', ['ci', '--omit=dev', '--no-audit', '--no-fund'], { cwd: target })
  const time = (performance.now() - begin) / 1000
  const sources = copiedSources(await readFile(join(ROOT, 'Dockerfile'), 'utf8'))
  const code = await Promise.all(sources.map((source) => sizeOf(join(ROOT, source))))
  return [
    { name: 'npm ci --omit=dev', value: time, unit: 's' },
    {
      name: "image's layer of dependencies",
      value: await sizeOf(join(target, 'node_modules')),
      unit: 'bytes',
    },
    { name: "image's layers of code", value: code.reduce((sum, size) => sum + size, 0), unit: 'bytes' },
  ]
}

/** Returns the paths that the last stage of a Dockerfile copies from the project. */
function copiedSources(dockerfile: string): string[] {
  const stage = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '))
  return [...stage.matchAll(/^COPY (?!--from)(.+)$/gm)].flatMap(([, files = '']) =>
    files.split(/\s+/).slice(0, -1),
  )
}

/** Bytes of a file, or of all files below a directory; links count as nothing. */
async function sizeOf(path: string): Promise<number> {
  const about = await stat(path)
  if (!about.isDirectory()) return about.size
  const entries = await readdir(path, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile())
  const sizes = await Promise.all(
    files.map(async ({ parentPath, name }) => (await stat(join(parentPath, name))).size),
  )
  return sizes.reduce((sum, size) => sum + size, 0)
}
