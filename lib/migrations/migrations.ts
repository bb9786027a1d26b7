import { basename, dirname } from 'node:path'
import type pg from 'pg'
import { type AppliedMigration, selectApplied } from './applied.ts'
import { listMigrations, type MigrationFile } from './files.ts'
import { MigrationError } from './migration-error.ts'
import { createPostgrator, runStep } from './run-migration.ts'
import { type MigrationOptions, withConnection, withMigrationLock } from './session.ts'

/** One line of `migrationStatus`. */
export interface MigrationState {
  readonly version: number
  readonly name: string
  /**
   * `changed`: the file is not the one that was run. `skipped`: never run, although a later one was. `unknown`:
   * run by a newer release, whose file is not here.
   */
  readonly state: 'applied' | 'pending' | 'changed' | 'skipped' | 'unknown'
  readonly runAt: Date | null
}

/**
 * Applies every migration that the database does not have yet, each in a transaction of its own. Any number
 * of processes may call it at once; a database that is newer than the files is left alone, as happens to the
 * old instances in a rolling deploy.
 *
 * @returns the names of the files that were run.
 * @throws MigrationError when a file is wrong, fails, or was changed since it was run. What the failing one
 * did is undone; those before it stay.
 */
export async function migrateUp(options: MigrationOptions): Promise<string[]> {
  const files = await listMigrations(options.directory)
  return withMigrationLock(options, async (client) => {
    const states = await compare(client, files)
    refuseBroken(states, files)
    const done: string[] = []
    for (const { version, up } of files) {
      if (states.some((state) => state.version === version && state.state === 'applied')) continue
      await runStep(client, { target: version, file: up })
      options.log?.(`Applied ${basename(up)}`)
      done.push(basename(up))
    }
    return done
  })
}

/**
 * Takes back the last `steps` migrations by their undo files, newest first.
 *
 * @returns the names of the files that were run; fewer than `steps` when there is nothing more to undo.
 * @throws MigrationError when an undo file is missing or fails.
 */
export async function migrateDown(options: MigrationOptions & { readonly steps: number }): Promise<string[]> {
  const files = await listMigrations(options.directory)
  return withMigrationLock(options, async (client) => {
    const applied = (await selectApplied(client)).toReversed().slice(0, options.steps)
    const undo = applied.map(({ version, name }) => {
      const down = files.find((file) => file.version === version)?.down
      if (!down)
        throw new MigrationError(`Version ${version} (${name}) cannot be undone: no undo file is here`)
      return { target: version - 1, file: down }
    })
    for (const step of undo) {
      await runStep(client, step)
      options.log?.(`Applied ${basename(step.file)}`)
    }
    return undo.map((step) => basename(step.file))
  })
}

/** Compares the files with the database, oldest version first. Changes nothing and takes no lock. */
export async function migrationStatus(options: MigrationOptions): Promise<MigrationState[]> {
  const files = await listMigrations(options.directory)
  return withConnection(options, (client) => compare(client, files))
}

async function compare(client: pg.Client, files: readonly MigrationFile[]): Promise<MigrationState[]> {
  const applied = await selectApplied(client)
  const newest = applied.at(-1)?.version ?? 0
  const checksums = await readChecksums(client, files)
  const known = files.map(({ version, name, up }): MigrationState => {
    const row = applied.find((candidate) => candidate.version === version)
    if (!row) return { version, name, state: version < newest ? 'skipped' : 'pending', runAt: null }
    const state = row.md5 === checksums.get(basename(up)) ? 'applied' : 'changed'
    return { version, name, state, runAt: row.run_at }
  })
  return [...known, ...applied.filter(({ version }) => version > files.length).map(unknownState)]
}

function unknownState({ version, name, run_at }: AppliedMigration): MigrationState {
  return { version, name, state: 'unknown', runAt: run_at }
}

/** The checksum of each file, as postgrator computes it. */
async function readChecksums(
  client: pg.Client,
  files: readonly MigrationFile[],
): Promise<Map<string, string>> {
  const first = files[0]
  if (!first) return new Map()
  const migrations = await createPostgrator(client, dirname(first.up), async () => undefined).getMigrations()
  return new Map(migrations.map(({ filename, md5 }) => [basename(filename), md5]))
}

function refuseBroken(states: readonly MigrationState[], files: readonly MigrationFile[]): void {
  for (const { version, state } of states) {
    const file = basename(files.find((candidate) => candidate.version === version)?.up ?? '')
    if (state === 'changed') {
      const steps = states.filter((other) => other.version >= version && other.runAt !== null).length
      throw new MigrationError(
        `${file} was changed after it was applied to this database.\n` +
          'If it has been merged or released, restore the file, and put the change into a new migration.\n' +
          `If it is still your own, undo it and apply it again: npm run migrate -- down ${steps}, npm run migrate -- up. ` +
          'What its tables hold is lost; npm run db:reset does so for the whole database of development.',
      )
    }
    if (state === 'skipped') {
      throw new MigrationError(
        `${file} was never applied, although a later migration was. Rename it to a new number.`,
      )
    }
  }
}
