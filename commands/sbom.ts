/**
 * Prints the software bill of materials of production (CycloneDX, JSON): `npm run -s sbom > sbom.json`.
 *
 * `npm sbom --omit dev` leaves out whatever a development dependency needs as well, such as pg. So npm is given
 * a project without development dependencies to describe.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runCommand } from './run-command.ts'

interface Manifest {
  name: string
  devDependencies?: unknown
}

interface Lockfile {
  packages: Record<string, { dev?: boolean; devDependencies?: unknown }>
}

const ROOT = join(import.meta.dirname, '..')
const ARGUMENTS = ['sbom', '--sbom-format=cyclonedx', '--sbom-type=application', '--package-lock-only']

await runCommand(process.argv.length === 2 ? {} : undefined, 'Usage: npm run -s sbom\n', describeProduction)

async function describeProduction(): Promise<void> {
  const { devDependencies: _, ...manifest } = read<Manifest>('package.json')
  const lockfile = read<Lockfile>('package-lock.json')
  const packages = Object.entries(lockfile.packages)
    .filter(([, locked]) => !locked.dev)
    .map(([path, { devDependencies: _, ...locked }]) => [path, locked])

  const temporary = mkdtempSync(join(tmpdir(), 'groundwork-sbom-'))
  try {
    // npm takes the name of the folder for the project's.
    const project = join(temporary, manifest.name)
    mkdirSync(project)
    write(project, 'package.json', manifest)
    write(project, 'package-lock.json', { ...lockfile, packages: Object.fromEntries(packages) })
    execFileSync('npm', ARGUMENTS, { cwd: project, stdio: ['ignore', 'inherit', 'inherit'] })
  } finally {
    rmSync(temporary, { recursive: true })
  }
}

function read<T>(name: string): T {
  return JSON.parse(readFileSync(join(ROOT, name), 'utf8'))
}

function write(directory: string, name: string, content: object): void {
  writeFileSync(join(directory, name), JSON.stringify(content))
}
