import type { Database } from '#lib/database/database.ts'
import type { Claim, Grant } from './store.ts'

/**
 * Counts claims in one statement, row after row in one order for all instances, so that they wait for each
 * other instead of dead-locking. A row's `granted` is what its last claim got.
 *
 * @param windowMs from a subject's first claim until its count starts again
 */
export async function takePoints(
  db: Database,
  claims: readonly Claim[],
  windowMs: number,
): Promise<Map<string, Grant>> {
  const rows = await db.query<Grant & { subject: string }>({
    name: 'takePoints',
    text: `INSERT INTO rate_limits AS r (subject, points, used, granted, expires_at)
           SELECT subject, points, owed + granted, granted,
                  statement_timestamp() + $5 * interval '1 millisecond'
           FROM unnest($1::text[], $2::integer[], $3::integer[], $4::integer[])
                  AS claim (subject, points, owed, wanted)
           CROSS JOIN LATERAL (SELECT greatest(0, least(wanted, points - owed)) AS granted) AS fresh
           ORDER BY subject
           ON CONFLICT (subject) DO UPDATE
           SET points = excluded.points,
               granted = CASE WHEN r.expires_at <= statement_timestamp() THEN excluded.granted
                 ELSE greatest(0, least(excluded.granted, excluded.points - (excluded.used - excluded.granted) - r.used))
                 END,
               used = CASE WHEN r.expires_at <= statement_timestamp() THEN excluded.used
                 ELSE r.used + (excluded.used - excluded.granted)
                   + greatest(0, least(excluded.granted, excluded.points - (excluded.used - excluded.granted) - r.used))
                 END,
               expires_at = CASE WHEN r.expires_at <= statement_timestamp() THEN excluded.expires_at
                 ELSE r.expires_at END
           RETURNING subject, granted, used,
             extract(epoch FROM expires_at - statement_timestamp())::float8 * 1000 AS "resetsIn"`,
    values: [
      claims.map(({ subject }) => subject),
      claims.map(({ points }) => points),
      claims.map(({ owed }) => owed),
      claims.map(({ wanted }) => wanted),
      windowMs,
    ],
  })
  return new Map(rows.map(({ subject, ...grant }) => [subject, grant]))
}

/** Deletes some of the counts whose window has ended. */
export async function deleteExpiredCounts(db: Database): Promise<void> {
  await db.query({
    name: 'deleteExpiredCounts',
    text: `DELETE FROM rate_limits WHERE subject IN (
             SELECT subject FROM rate_limits WHERE expires_at < now() - interval '1 second'
             LIMIT 10000 FOR UPDATE SKIP LOCKED)`,
  })
}

/** Asks whether counts can be had. */
export async function askForAnswer(db: Database): Promise<void> {
  await db.query({ name: 'checkRateLimits', text: 'SELECT FROM rate_limits LIMIT 1' })
}
