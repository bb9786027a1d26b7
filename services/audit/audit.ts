import { validate as isUuid } from 'uuid'
import type { Context } from '#lib/context.ts'
import { OrgDatabase, SystemDatabase } from '#lib/database/scoped-database.ts'
import { inclusionPath } from '#lib/merkle/merkle.ts'
import type { Cursors } from '#lib/pagination/cursors.ts'
import { inBatches } from '#lib/pagination/in-batches.ts'
import type {
  AuditEntry,
  AuditEntryPage,
  AuditHead,
  AuditProof,
  ExportAuditEntriesQuery,
  ExportPlatformAuditEntriesQuery,
  ListAuditEntriesQuery,
  ListPlatformAuditEntriesQuery,
  PlatformAuditEntryPage,
  PlatformAuditEntryQuery,
} from '#schemas/audit.ts'
import type { OrgContext } from '#services/members/membership.ts'
import { type Actor, assertAdmin } from '#services/users/users.ts'
import { GENESIS, headLeaf } from './chain.ts'
import { PLATFORM } from './entry.ts'
import { AuditEntryNotFound, AuditFiltersConflict } from './errors.ts'
import * as queries from './reading/queries.ts'

// What people read of the log. Whose it is: the organization's, by the route's `permission`; the service's, for admins.

/** Entries that a proof names after its own; a busier minute is proved by an export. */
const MAX_FOLLOWING = 5000
/** Entries that an export reads at once. */
const EXPORT_ENTRIES = 500

type Paged<C> = C & { readonly cursors: Cursors }

/**
 * Returns a page of the organization's entries, newest first.
 *
 * @throws InvalidCursor, AuditFiltersConflict
 */
export function list(ctx: Paged<OrgContext>, query: ListAuditEntriesQuery): Promise<AuditEntryPage> {
  return page(ctx, ctx.db, query)
}

/**
 * Returns a page of the service's own entries, of an organization's, or of what an admin did in all logs, newest first.
 *
 * @throws Forbidden, InvalidCursor, AuditFiltersConflict
 */
export async function listPlatform(
  ctx: Paged<Context>,
  actor: Actor,
  { admin_id: admin, organization_id, ...query }: ListPlatformAuditEntriesQuery,
): Promise<PlatformAuditEntryPage> {
  assertAdmin(actor)
  if (admin !== undefined) {
    if (organization_id !== undefined) throw new AuditFiltersConflict()
    return pageOfAdmin(ctx, admin, query)
  }
  const { data, next_cursor } = await page(ctx, new OrgDatabase(ctx.db, organization_id ?? PLATFORM), query)
  return { data: data.map((entry) => ({ ...entry, organization_id: organization_id ?? null })), next_cursor }
}

async function pageOfAdmin(
  { db, cursors }: Paged<Context>,
  admin: string,
  { limit, cursor, ...filters }: ListAuditEntriesQuery,
): Promise<PlatformAuditEntryPage> {
  const { by, from, before } = filterOf(filters)
  if (by !== undefined) throw new AuditFiltersConflict()
  const position = cursor === undefined ? null : cursors.decode('audit:admins', cursor)
  const filter = {
    admin,
    from,
    before: earlier(before, position),
  }
  const rows = await queries.selectEntriesOfAdmin(new SystemDatabase(db), { ...filter, limit: limit + 1 })
  return cursors.page('audit:admins', rows, limit)
}

async function page(
  { cursors }: { readonly cursors: Cursors },
  db: OrgDatabase,
  { limit, cursor, ...filters }: ListAuditEntriesQuery,
): Promise<AuditEntryPage> {
  const name = `audit:${db.org}`
  const filter = filterOf(filters)
  const before = earlier(filter.before, cursor === undefined ? null : cursors.decode(name, cursor))
  const rows = await queries.selectEntries(db, { ...filter, before, limit: limit + 1 })
  return cursors.page(name, rows, limit)
}

/** A cursor may come from a search without `until`, or with a later one. */
function earlier(one: string | null, other: string | null): string | null {
  if (one === null || other === null) return one ?? other
  return one < other ? one : other
}

function filterOf({ since, until, ...columns }: ExportAuditEntriesQuery): Omit<queries.EntryFilter, 'limit'> {
  const [by, ...others] = (['actor_id', 'action', 'target_id'] as const).flatMap((column) => {
    const value = columns[column]
    // People paste ids in either case; what is not an id is not changed.
    return value === undefined ? [] : [{ column, value: isUuid(value) ? value.toLowerCase() : value }]
  })
  // There is an index for each, and none for two: a search that finds nothing would read everything.
  if (others.length > 0) throw new AuditFiltersConflict()
  return { by, from: firstId(since), before: firstId(until) }
}

/** The least id of a time: those of entries begin with theirs. */
function firstId(time: string | undefined): string | null {
  if (time === undefined) return null
  const milliseconds = Math.min(Math.max(Date.parse(time), 0), 2 ** 48 - 1)
  const hex = milliseconds.toString(16).padStart(12, '0')
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`
}

/**
 * Returns the organization's entries as lines of JSON, newest first, a batch at a time.
 *
 * @throws AuditFiltersConflict
 */
export function exportEntries(ctx: OrgContext, filters: ExportAuditEntriesQuery): AsyncIterable<string> {
  return lines(ctx.db, filterOf(filters))
}

async function* lines(db: OrgDatabase, filter: Omit<queries.EntryFilter, 'limit'>): AsyncGenerator<string> {
  const read = (last: AuditEntry | undefined, limit: number) =>
    queries.selectEntries(db, { ...filter, before: last?.id ?? filter.before, limit })
  for await (const rows of inBatches(EXPORT_ENTRIES, read))
    yield rows.map((row) => `${JSON.stringify(row)}\n`).join('')
}

/**
 * The same of the service's own entries, or of an organization's.
 *
 * @throws Forbidden, AuditFiltersConflict
 */
export function exportPlatform(
  ctx: Pick<Context, 'db'>,
  actor: Actor,
  { organization_id = PLATFORM, ...filters }: ExportPlatformAuditEntriesQuery,
): AsyncIterable<string> {
  assertAdmin(actor)
  return lines(new OrgDatabase(ctx.db, organization_id), filterOf(filters))
}

/** Returns the end of the organization's chain. */
export async function head(ctx: OrgContext): Promise<AuditHead> {
  const { seq, hash, checkpoint } = await queries.selectHead(ctx.db)
  return { seq, hash: base64(hash), checkpoint }
}

/**
 * Returns an entry, and what proves that it is in the log.
 *
 * @param service the context of the service, which sees the checkpoint's other heads
 * @throws AuditEntryNotFound
 */
export async function prove(ctx: OrgContext, service: Pick<Context, 'db'>, id: string): Promise<AuditProof> {
  const found = await queries.selectEntry(ctx.db, id)
  if (found === undefined) throw new AuditEntryNotFound()
  const { commitment, mac, salt, hash, ...entry } = found
  const own = {
    entry,
    commitment: base64(commitment),
    mac: base64(mac),
    salt: base64(salt),
    hash: base64(hash),
  }
  if (entry.seq === null) return { ...own, previous: null, following: [], checkpoint: null }

  const { seq } = entry
  const covering = await queries.selectCoveringHead(ctx.db, seq)
  const isProvable = covering !== undefined && covering.seq - seq <= MAX_FOLLOWING
  const seals = await queries.selectSeals(ctx.db, seq - 1, isProvable ? covering.seq : seq)
  const previous = base64(await hashBefore(ctx, seq, seals))
  if (!isProvable) return { ...own, previous, following: [], checkpoint: null }
  const following = seals.filter((seal) => seal.seq > seq).map(({ digest }) => base64(digest))
  return { ...own, previous, following, checkpoint: await provingCheckpoint(ctx, service, covering) }
}

/**
 * The same of one of the service's own entries, or of an organization's.
 *
 * @throws Forbidden, AuditEntryNotFound
 */
export function provePlatform(
  ctx: Context,
  actor: Actor,
  id: string,
  { organization_id = PLATFORM }: PlatformAuditEntryQuery,
): Promise<AuditProof> {
  assertAdmin(actor)
  return prove({ ...ctx, db: new OrgDatabase(ctx.db, organization_id) }, ctx, id)
}

/** The hash that an entry's own follows: that of the seal before, also of one that was cut off. */
async function hashBefore(
  { db }: OrgContext,
  seq: number,
  seals: readonly { readonly seq: number; readonly hash: Buffer }[],
): Promise<Buffer> {
  const before = seals.find((seal) => seal.seq === seq - 1)
  if (before !== undefined) return before.hash
  return (seq > 1 ? await queries.selectCutHash(db, seq - 1) : undefined) ?? GENESIS
}

async function provingCheckpoint(
  ctx: OrgContext,
  service: Pick<Context, 'db'>,
  { checkpoint: number, note, seq }: queries.CoveringHead,
): Promise<NonNullable<AuditProof['checkpoint']>> {
  // The tree has heads of other organizations too; the caller gets hashes of them.
  const heads = await queries.selectLeaves(new SystemDatabase(service.db), number)
  const index = heads.findIndex(({ org }) => org === ctx.db.org)
  const path = inclusionPath(heads.map(headLeaf), index)
  return { number, note, seq, leaf_index: index, path: path.map((node) => base64(node)) }
}

function base64(bytes: Buffer): string
function base64(bytes: Buffer | null): string | null
function base64(bytes: Buffer | null): string | null {
  return bytes === null ? null : bytes.toString('base64')
}
