import type { Database } from '#lib/database/database.ts'
import type { VariantName } from '#schemas/files.ts'

/** A copy of an image: that of an object, by its key. */
export interface Variant {
  readonly key: string
  readonly name: VariantName
}

/** A copy that was made. */
export interface MadeVariant {
  readonly variant_key: string
  readonly media_type: string
  readonly size: number
  readonly sha256: Buffer
}

export interface VariantRow extends Omit<MadeVariant, 'size'> {
  readonly state: 'making' | 'made' | 'impossible'
  readonly size: string
  readonly updated_at: string
}

export async function selectVariant(db: Database, { key, name }: Variant): Promise<VariantRow | undefined> {
  const rows = await db.query<VariantRow>({
    name: 'selectVariant',
    text: `SELECT state, variant_key, media_type, size, sha256, updated_at FROM object_variants
           WHERE key = $1 AND name = $2`,
    values: [key, name],
    pipelined: true,
  })
  return rows[0]
}

/** Says that a copy is to be made; returns false if that was said less than so many milliseconds ago, or it is made. */
export async function insertVariant(db: Database, { key, name }: Variant, againMs: number): Promise<boolean> {
  const rows = await db.query({
    name: 'insertVariant',
    text: `INSERT INTO object_variants AS v (key, name, state) VALUES ($1, $2, 'making')
           ON CONFLICT (key, name) DO UPDATE SET updated_at = now()
             WHERE v.state = 'making' AND v.updated_at < now() - $3 * interval '1 millisecond'
           RETURNING 1 AS asked`,
    values: [key, name, againMs],
  })
  return rows.length > 0
}

/** Says that a copy can't be made. */
export async function markImpossible(db: Database, { key, name }: Variant): Promise<void> {
  await db.query({
    name: 'markVariantImpossible',
    text: `UPDATE object_variants SET state = 'impossible', updated_at = now()
           WHERE key = $1 AND name = $2 AND state = 'making'`,
    values: [key, name],
  })
}

/** Says that a copy is made; returns false if it was before, or what it is made of is gone. */
export async function updateMade(
  db: Database,
  { key, name }: Variant,
  { variant_key, media_type, size, sha256 }: MadeVariant,
): Promise<boolean> {
  const rows = await db.query({
    name: 'updateVariantMade',
    text: `UPDATE object_variants SET state = 'made', variant_key = $3, media_type = $4, size = $5, sha256 = $6,
             updated_at = now()
           WHERE key = $1 AND name = $2 AND state = 'making' RETURNING 1 AS made`,
    values: [key, name, variant_key, media_type, size, sha256],
  })
  return rows.length > 0
}
