/**
 * The audit log (docs/audit-log.md):
 * `npm run audit-log -- verify [--org <id>] [--since <time>] [--checkpoints <file or directory>] [--copies] [--json]` finds
 * what was tampered with; `--checkpoints` compares with signed notes that were kept outside the database, `--copies` with
 * those in `audit.checkpoint_directory` and `audit.checkpoint_s3`.
 * `npm run audit-log -- checkpoint` seals what waits, and signs a checkpoint now, and writes its copies;
 * `npm run audit-log -- checkpoints` prints all signed notes;
 * `npm run audit-log -- cut --before <time> [--org <id>] [--yes]` deletes what is older, and leaves a signed note of it.
 * Exits with 1 when it fails or finds a problem, and with 2 for arguments that it does not know.
 */
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { FastifyInstance } from 'fastify'
import { takeCheckpoint } from '#services/audit/checkpoints.ts'
import { keepCopies, readCopies } from '#services/audit/copies.ts'
import { cutBefore } from '#services/audit/cuts.ts'
import { allNotes } from '#services/audit/notes.ts'
import { sealBatch } from '#services/audit/sealer.ts'
import type { Problem } from '#services/audit/verification/problems.ts'
import { type Verification, verify } from '#services/audit/verification/verify.ts'
import { confirmLoss } from './confirm.ts'
import { readTime } from './read-time.ts'
import { note, offerHelp, runCommand } from './run-command.ts'
import { commandConfig, withApp } from './with-app.ts'

const USAGE = `Usage: npm run audit-log -- verify [--org <id>] [--since <time>]
                                   [--checkpoints <file or directory>] [--copies] [--json]
       npm run audit-log -- checkpoint
       npm run audit-log -- checkpoints
       npm run audit-log -- cut --before <time> [--org <id>] [--yes]
`

offerHelp(USAGE)

type Task = (app: FastifyInstance) => Promise<string>

await runCommand(parseArguments(process.argv.slice(2)), USAGE, run)

function parseArguments(args: string[]): Task | undefined {
  const options = {
    org: { type: 'string' },
    since: { type: 'string' },
    before: { type: 'string' },
    checkpoints: { type: 'string' },
    copies: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    yes: { type: 'boolean', default: false },
  } as const
  try {
    const { positionals, values } = parseArgs({ args, options, allowPositionals: true })
    const [name, ...rest] = positionals
    const { org, json, yes, copies } = values
    const [since, before] = [timeOf(values.since), timeOf(values.before)]
    if (rest.length > 0 || since === null || before === null || !(org === undefined || isUuid(org)))
      return undefined
    if (name === 'verify' && before === undefined)
      return (app) => verifyLog(app, { org, since, json, copies, checkpoints: values.checkpoints })
    if (name === 'checkpoint') return signNow
    if (name === 'checkpoints') return async (app) => (await allNotes(app.ctx)).join('\n')
    if (name === 'cut' && before !== undefined) return (app) => cut(app, { org, before, yes })
    return undefined
  } catch {
    return undefined
  }
}

/** Null for what is not a time. */
function timeOf(text: string | undefined): Date | undefined | null {
  return text === undefined ? undefined : (readTime(text) ?? null)
}

function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text)
}

async function run(task: Task): Promise<void> {
  // Reading a long log takes longer than a request may.
  const patience = { APP_DATABASE__STATEMENT_TIMEOUT: '10m', APP_DATABASE__QUERY_TIMEOUT: '11m' }
  process.stdout.write(await withApp(commandConfig(patience), task))
}

interface VerifyTask {
  readonly org: string | undefined
  readonly since: Date | undefined
  readonly checkpoints: string | undefined
  readonly copies: boolean
  readonly json: boolean
}

async function verifyLog(
  { ctx }: FastifyInstance,
  { org, since, checkpoints, copies, json }: VerifyTask,
): Promise<string> {
  const published = checkpoints === undefined ? [] : await readNotes(checkpoints)
  if (copies) for (const place of ctx.audit.copyPlaces) published.push(...(await readCopies(place)))
  const start = performance.now()
  const found = await verify(ctx, { org, since, published })
  const seconds = (performance.now() - start) / 1000
  if (found.problemCount > 0) process.exitCode = 1
  return json ? `${JSON.stringify(found)}\n` : report(found, seconds, published.length)
}

function report(found: Verification, seconds: number, published: number): string {
  const { entries, chains, checkpoints, unsignedCheckpoints, problems, problemCount } = found
  const rate = Math.round(entries / Math.max(seconds, 0.001))
  const lines = [
    `${entries} entries of ${chains} chains in ${seconds.toFixed(1)} s (${rate}/s), ${checkpoints} checkpoints, ` +
      `${published} of them kept elsewhere`,
  ]
  if (unsignedCheckpoints > 0)
    lines.push(`${unsignedCheckpoints} checkpoints have no signature of a known key (audit.signing_key_file)`)
  lines.push(...problems.map(describe))
  if (problemCount > problems.length) lines.push(`and ${problemCount - problems.length} more`)
  lines.push(
    problemCount === 0 ? 'The log is whole.' : `The log has been tampered with: ${problemCount} problems.`,
  )
  return `${lines.join('\n')}\n`
}

function describe({ kind, org, seq, last, entry, checkpoint, detail }: Problem): string {
  const range = seq === undefined ? last : last === undefined || last === seq ? seq : `${seq}..${last}`
  const places = { organization: org, seq: range, entry, checkpoint }
  const where = Object.entries(places).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name} ${value}`],
  )
  return `${kind}: ${where.join(', ')}: ${detail}`
}

/** Notes of a file, one after the other, or of all files of a directory. */
async function readNotes(path: string): Promise<string[]> {
  const isDirectory = (await stat(path)).isDirectory()
  const files = isDirectory ? (await readdir(path)).filter((name) => name.endsWith('.txt')).sort() : ['']
  const texts = await Promise.all(files.map((file) => readFile(join(path, file), 'utf8')))
  return texts.flatMap((text) => text.split(/^(?=groundwork\/audit\n)/m).filter((part) => part.trim() !== ''))
}

async function signNow({ ctx }: FastifyInstance): Promise<string> {
  while ((await sealBatch(ctx)).hasMore);
  const { note: signed, number, problems } = await takeCheckpoint(ctx)
  await keepCopies(ctx, number)
  if (problems.length > 0) {
    process.exitCode = 1
    note(problems.map(describe).join('\n'))
  }
  return signed ?? (problems.length > 0 ? '' : `Nothing was sealed since checkpoint ${number}.\n`)
}

async function cut(
  { ctx }: FastifyInstance,
  { org, before, yes }: { org: string | undefined; before: Date; yes: boolean },
): Promise<string> {
  await confirmLoss(`Entries of the audit log from before ${before.toISOString()} will be deleted.`, yes)
  const { entries, chains } = await cutBefore(ctx, before, org)
  return `Deleted ${entries} entries of ${chains} chains.\n`
}
