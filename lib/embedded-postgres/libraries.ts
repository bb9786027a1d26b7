import { existsSync } from 'node:fs'
import { readFile, symlink } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { EmbeddedPostgresError } from './embedded-postgres-error.ts'

/** A file of the package, and the name that programs know it by; relative to the package. */
interface Link {
  readonly source: string
  readonly target: string
}

/**
 * Makes the names by which PostgreSQL's programs look for its libraries. npm packs no symbolic links, so a script of the
 * package makes them, unless npm was told to run none (`--ignore-scripts`).
 *
 * @param root the folder of the package
 * @throws EmbeddedPostgresError when a link cannot be made
 */
export async function linkLibraries(root: string, name: string): Promise<void> {
  // A platform without them has no list.
  const list = await readFile(join(root, 'native/pg-symlinks.json'), 'utf8').catch(() => '[]')
  const links: Link[] = JSON.parse(list)
  for (const { source, target } of links.filter((link) => !existsSync(join(root, link.target)))) {
    try {
      await symlink(relative(dirname(target), source), join(root, target))
    } catch (cause) {
      // Another process was faster.
      if (existsSync(join(root, target))) continue
      const message = `The package ${name} was installed without its script, which links its libraries: run \`npm rebuild ${name}\``
      throw new EmbeddedPostgresError(`${message}, or set APP_DATABASE__URL to a PostgreSQL server.`, {
        cause,
      })
    }
  }
}
