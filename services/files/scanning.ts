import { ClamdUnavailable } from '#lib/clamd/clamd-error.ts'
import { type Database, transaction } from '#lib/database/database.ts'
import { OrgDatabase, SystemDatabase } from '#lib/database/scoped-database.ts'
import { record } from '#services/audit/records.ts'
import type { EventType } from '#services/events/define-event.ts'
import { emitting, type Happening, telling } from '#services/events/emit.ts'
import { answered } from '#services/storage/answered.ts'
import { FileStoreUnavailable } from '#services/storage/errors.ts'
import { storeOf } from '#services/storage/storage.ts'
import type { FilesContext, Scanning } from './context.ts'
import { fileQuarantined, fileScanned } from './events.ts'
import { tellOfQuarantine } from './notices.ts'
import * as queries from './scan-queries.ts'

/** Attempts after which a content counts as one that can't be scanned. */
const MAX_ATTEMPTS = 3

/** Characters of the name of what was found. */
const MAX_FINDING = 200

/** Knowledge of a content; `finding` says what was found, or why nobody looked. */
interface Result {
  readonly scan: 'clean' | 'passed' | 'held' | 'infected'
  readonly finding: string | null
}

/**
 * Has the scanner look at a content that waits, and keeps what it said. Returns whether scanner and store are there.
 *
 * @throws what the signal says, if it was aborted
 */
export async function scan(
  ctx: FilesContext,
  content: queries.WaitingContent,
  signal: AbortSignal,
): Promise<boolean> {
  const { scanning } = ctx.files
  // It waits since there was one.
  if (scanning === undefined) {
    await settle(ctx, content, { scan: 'passed', finding: 'no_scanner' })
    return true
  }
  try {
    await settle(ctx, content, await ask(ctx, scanning, content, signal))
    return true
  } catch (error) {
    signal.throwIfAborted()
    ctx.files.countScan('failed')
    ctx.log.warn({ err: error, file_id: content.id }, 'a content could not be scanned')
    const isAway = error instanceof ClamdUnavailable || error instanceof FileStoreUnavailable
    await giveUp(ctx, scanning, { content, isAway })
    return !isAway
  }
}

async function ask(
  ctx: FilesContext,
  scanning: Scanning,
  { key, size }: queries.WaitingContent,
  signal: AbortSignal,
): Promise<Result> {
  if (Number(size) > scanning.maxSize) return unscanned(scanning, 'too_large')
  const content = await answered(storeOf(ctx).read(key))
  // A scanner that is away has not begun to read it.
  const verdict = await scanning.scanner.scan(content, signal).finally(() => content.destroy())
  if (verdict.kind === 'too_large') return unscanned(scanning, 'too_large')
  if (verdict.kind === 'clean') return { scan: 'clean', finding: null }
  return { scan: 'infected', finding: verdict.signature.slice(0, MAX_FINDING) }
}

function unscanned({ isHeld }: Scanning, finding: string): Result {
  return { scan: isHeld ? 'held' : 'passed', finding }
}

/** Does not ask again where that has failed often. While scanner or store are away, what is held goes on to wait for them. */
async function giveUp(
  ctx: FilesContext,
  scanning: Scanning,
  { content, isAway }: { content: queries.WaitingContent; isAway: boolean },
): Promise<void> {
  const attempts = await queries.countAttempt(new SystemDatabase(ctx.db), content)
  if (attempts === undefined || attempts < MAX_ATTEMPTS || (isAway && scanning.isHeld)) return
  await settle(ctx, content, unscanned(scanning, 'scanner_failed'))
}

async function settle(ctx: FilesContext, content: queries.WaitingContent, result: Result): Promise<void> {
  const { id, org_id, space_id } = content
  const isSettled = await transaction(ctx, async (tx) => {
    const db = new SystemDatabase(tx.db)
    const isNew = await queries.updateScan(emittingTo({ ...tx, db }, content, result), content, result)
    if (isNew && isQuarantined(result.scan)) {
      if (org_id === null) {
        const target = { type: 'file', id }
        await record(tx, { action: 'operations.quarantineFile', target, details: { reason: result.scan } })
      }
      const org = org_id === null ? undefined : new OrgDatabase(tx.db, org_id)
      await tellOfQuarantine(tx, content, { reason: result.scan, org })
    }
    return isNew
  })
  if (!isSettled) return
  ctx.files.countScan(result.scan)
  const found = { file_id: id, space_id, scan: result.scan, finding: result.finding }
  if (isQuarantined(result.scan)) ctx.log.warn(found, 'a file was quarantined')
}

function isQuarantined(scan: Result['scan']): scan is 'held' | 'infected' {
  return scan === 'held' || scan === 'infected'
}

/** Returns the database for the statement, which also tells what became of the content. */
function emittingTo(
  ctx: FilesContext & { readonly db: SystemDatabase },
  { id, org_id, space_id }: queries.WaitingContent,
  { scan }: Result,
): SystemDatabase {
  const about = <E extends EventType>(event: E, data: Happening<E>['data']) =>
    org_id === null
      ? telling(ctx, event, { subject: id, data, toldTo: space_id })
      : emitting(ctx, event, { subject: id, data, org: org_id })
  return isQuarantined(scan) ? about(fileQuarantined, { reason: scan }) : about(fileScanned, { result: scan })
}

/** Returns the seconds for which the content has waited that waits longest. */
export function longestWait(db: Database): Promise<number> {
  return queries.selectLongestWait(new SystemDatabase(db))
}
