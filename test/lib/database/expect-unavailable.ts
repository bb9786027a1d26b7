import type { Test } from 'tap'

/** Expects that what was asked of the database fails as "not now". */
export async function expectUnavailable(
  t: Test,
  asked: Promise<unknown>,
  message = 'the database is unavailable',
): Promise<void> {
  const [result] = await Promise.allSettled([asked])
  const reason = { definition: { code: 'database_unavailable', status: 503 }, retryAfter: 5 }
  t.match(result, { status: 'rejected', reason }, message)
}
