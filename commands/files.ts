/**
 * The contents of files in the store:
 * `npm run files -- verify [--digests] [--json]` says which are missing or damaged, and what the store has that no row
 * names; with `--digests` all bytes are read, otherwise sizes are compared;
 * `npm run files -- restore --from <directory | s3://bucket/prefix> [--digests]` brings those that are missing from the place
 * of a backup (`npm run backup -- --files`), with `--digests` also those whose bytes are damaged;
 * `npm run files -- remove-leftovers [--yes]` removes what no row names.
 * Exits with 1 when it fails or something is wrong, and with 2 for arguments that it does not know.
 */
import { parseArgs } from 'node:util'
import type { FastifyInstance } from 'fastify'
import { openContents } from '#lib/backup/open-store.ts'
import { s3Settings } from '#lib/backup/s3-store.ts'
import { SystemDatabase } from '#lib/database/scoped-database.ts'
import { storeOf } from '#services/storage/storage.ts'
import { findLeftovers, type Verification, verifyStore } from '#services/storage/verification.ts'
import { confirmLoss } from './confirm.ts'
import { restoreContents } from './restore-contents.ts'
import { offerHelp, runCommand } from './run-command.ts'
import { commandConfig, withApp } from './with-app.ts'

const USAGE = `Usage: npm run files -- verify [--digests] [--json]
       npm run files -- restore --from <directory | s3://bucket/prefix> [--digests]
       npm run files -- remove-leftovers [--yes]
`

/** Names of objects that are told without --json. */
const TOLD = 50

offerHelp(USAGE)

type Task = (app: FastifyInstance) => Promise<string>

await runCommand(parseArguments(process.argv.slice(2)), USAGE, run)

function parseArguments(args: string[]): Task | undefined {
  const options = {
    digests: { type: 'boolean' },
    json: { type: 'boolean' },
    from: { type: 'string' },
    yes: { type: 'boolean' },
  } as const
  try {
    const { positionals, values } = parseArgs({ args, options, allowPositionals: true })
    const [name, ...rest] = positionals
    const { from, digests, json, yes } = values
    const has = (...names: string[]) => Object.keys(values).every((given) => names.includes(given))
    if (rest.length > 0) return undefined
    if (name === 'verify' && has('digests', 'json')) return (app) => verify(app, { digests, json })
    if (name === 'restore' && has('from', 'digests') && from) return (app) => restore(app, from, digests)
    if (name === 'remove-leftovers' && has('yes')) return (app) => removeLeftovers(app, yes)
    return undefined
  } catch {
    return undefined
  }
}

async function run(task: Task): Promise<void> {
  process.stdout.write(await withApp(commandConfig(), task))
}

async function verify(
  { ctx }: FastifyInstance,
  { digests = false, json = false }: { digests: boolean | undefined; json: boolean | undefined },
): Promise<string> {
  const found = await verifyStore(new SystemDatabase(ctx.db), storeOf(ctx), { digests })
  if (found.faults.length > 0) process.exitCode = 1
  return json ? `${JSON.stringify(found)}\n` : report(found, digests)
}

function report({ objects, bytes, faults, leftovers }: Verification, digests: boolean): string {
  const lines = faults.map(({ key, kind, detail }) => `${kind}: ${key}: ${detail}`)
  const all = [
    `${objects} contents of ${bytes} bytes, by their ${digests ? 'digests' : 'sizes'}`,
    ...lines.slice(0, TOLD),
    ...leftovers.slice(0, TOLD).map((key) => `no row names ${key}`),
  ]
  if (Math.max(lines.length, leftovers.length) > TOLD) all.push('and more, which --json lists')
  const wrong = faults.length === 0 ? 'The store has all of them' : `${faults.length} are missing or damaged`
  const left = leftovers.length === 0 ? 'nothing else' : `${leftovers.length} objects that no row names`
  return `${all.join('\n')}\n${wrong}, and ${left}.\n`
}

async function restore({ ctx }: FastifyInstance, place: string, digests = false): Promise<string> {
  const from = openContents(place, s3Settings(process.env))
  const told = await restoreContents(new SystemDatabase(ctx.db), { from, to: storeOf(ctx), digests })
  return told === '' ? 'The database names no contents of files.\n' : told
}

async function removeLeftovers({ ctx }: FastifyInstance, yes = false): Promise<string> {
  const store = storeOf(ctx)
  const leftovers = await findLeftovers(new SystemDatabase(ctx.db), store)
  if (leftovers.length === 0) return 'There is nothing that no row names.\n'
  await confirmLoss(
    `${leftovers.length} objects will be removed, which this database does not name. ` +
      'If another database has its files in the same place, they may be its files.',
    yes,
  )
  for (const key of leftovers) await store.remove(key)
  return `Removed ${leftovers.length} objects.\n`
}
