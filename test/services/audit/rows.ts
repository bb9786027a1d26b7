import type { TestDatabase } from '#test/support/database.ts'

/** An id that ends with a number, so that ids are in the order of their numbers. */
export const idOf = (number: number) => `00000000-0000-7000-8000-${String(number).padStart(12, '0')}`

export const numberOf = (id: string) => Number(id.slice(-12))

/** A hash that consists of one byte. */
export const hashOf = (byte: number) => Buffer.alloc(32, byte)

/** When a checkpoint was taken. */
export const timeOf = (checkpoint: number) => new Date(`2026-01-0${checkpoint}T00:00:00Z`)

const ID = `('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid`

interface EntryOptions {
  readonly table?: 'audit_entries' | 'audit_intake'
  readonly mac?: Buffer
  readonly actor?: readonly [kind: string, id: string]
  readonly ageSeconds?: number
}

/** Writes rows of the audit log that no service has written. Chains and entries are named by numbers. */
export function auditRows(db: TestDatabase) {
  const sql = (text: string, values: unknown[]) => db.querySuper(text, values)
  return {
    entries: (org: number, numbers: readonly number[], options: EntryOptions = {}) => {
      const {
        table = 'audit_entries',
        mac = Buffer.alloc(40),
        actor = ['user', 'one'],
        ageSeconds = 0,
      } = options
      return sql(
        `INSERT INTO ${table} (org_id, id, at, actor_kind, actor_id, action, target_type, outcome, details,
           personal_commitment, mac)
         SELECT $1, ${ID}, now() - $6 * interval '1 second', $4, $5, 'tests.done', 'test', 'succeeded', '{}', '', $3
         FROM unnest($2::int[]) AS n`,
        [idOf(org), numbers, mac, ...actor, ageSeconds],
      )
    },
    personal: (org: number, numbers: readonly number[], user: string) =>
      sql(
        `INSERT INTO audit_personal (org_id, entry_id, user_id, salt, ip)
         SELECT $1, ${ID}, $3, '', '192.0.2.' || n FROM unnest($2::int[]) AS n`,
        [idOf(org), numbers, user],
      ),
    pending: (org: number, numbers: readonly number[], isRefused = false) =>
      sql(
        `INSERT INTO audit_pending SELECT $1, ${ID}, CASE WHEN $3 THEN now() END FROM unnest($2::int[]) AS n`,
        [idOf(org), numbers, isRefused],
      ),
    /** Seals up to one, each of the entry that has its number. */
    seals: (org: number, last: number) =>
      sql(
        `INSERT INTO audit_seals
         SELECT $1, n, ${ID}, h, h
         FROM generate_series(1, $2::int) AS n, decode(repeat(lpad(to_hex(n), 2, '0'), 32), 'hex') AS h`,
        [idOf(org), last],
      ),
    checkpoint: (number: number) =>
      sql('INSERT INTO audit_checkpoints VALUES ($1, $2, $3)', [number, timeOf(number), `note ${number}`]),
    head: (org: number, checkpoint: number, seq: number, hash = hashOf(seq)) =>
      sql('INSERT INTO audit_checkpoint_heads VALUES ($1, $2, $3, $4)', [idOf(org), checkpoint, seq, hash]),
    growth: (...orgs: readonly number[]) =>
      sql('INSERT INTO audit_growth SELECT unnest($1::uuid[])', [orgs.map(idOf)]),
    cut: (org: number, seq: number) =>
      sql("INSERT INTO audit_cuts VALUES ($1, $2, $3, now(), 'a note')", [idOf(org), seq, hashOf(seq)]),
  }
}

/**
 * Writes chains: 1 is under checkpoints up to its end, 2 has a head that is not its own, 3 was cut, and has grown like 1 and
 * 6, 4 is gone but for a head, and 5 and 6 are under no checkpoint.
 */
export async function writeChains(db: TestDatabase): Promise<ReturnType<typeof auditRows>> {
  const rows = auditRows(db)
  const lengths = [4, 3, 2, 0, 2, 1]
  for (const [index, last] of lengths.entries()) await rows.seals(index + 1, last)
  for (const number of [1, 2, 3]) await rows.checkpoint(number)
  for (const [checkpoint, seq] of [
    [1, 2],
    [2, 3],
    [3, 4],
  ] as const)
    await rows.head(1, checkpoint, seq)
  await rows.head(2, 1, 2, hashOf(1))
  await rows.head(3, 2, 1)
  await rows.head(4, 1, 7)
  for (const seq of [1, 2]) await rows.cut(3, seq)
  await rows.growth(1, 3, 6)
  return rows
}
