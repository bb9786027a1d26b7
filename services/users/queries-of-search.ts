import type { Database } from '#lib/database/database.ts'
import type { AdministeredUser } from '#schemas/administered-users.ts'
import type { Role } from '#schemas/users.ts'

const COLUMNS =
  'id, email, username, role, is_active, created_at, updated_at, email_verified_at, password_hash IS NOT NULL AS has_password'

/** Texts with fewer characters have no piece of three. */
const MIN_PIECE = 3

export interface AdministeredFilter {
  role?: Role | undefined
  is_active?: boolean | undefined
  id?: string | undefined
  /** Part of the address or the name. */
  text?: string | undefined
  /** Only users older than this id. */
  before?: string | undefined
  limit: number
}

type Condition = [column: string, sql: (parameter: string) => string, value: unknown]

/** Newest first. */
export function selectAdministeredUsers(
  db: Database,
  filter: AdministeredFilter,
): Promise<AdministeredUser[]> {
  const { role, is_active, id, text, before, limit } = filter
  const conditions: Condition[] = []
  if (role !== undefined) conditions.push(['role', (p) => `role = ${p}`, role])
  if (is_active !== undefined) conditions.push(['is_active', (p) => `is_active = ${p}`, is_active])
  if (id !== undefined) conditions.push(['id', (p) => `id = ${p}::uuid`, id])
  if (text !== undefined) conditions.push(...conditionsOf(text))
  if (before !== undefined) conditions.push(['before', (p) => `id < ${p}::uuid`, before])

  const where = conditions.map(([, sql], index) => sql(`$${index + 2}`)).join(' AND ')
  return db.query<AdministeredUser>({
    name: ['selectAdministeredUsers', ...conditions.map(([column]) => column)].join(':'),
    text: `SELECT ${COLUMNS} FROM users ${where && `WHERE ${where}`} ORDER BY id DESC LIMIT $1`,
    values: [limit, ...conditions.map(([, , value]) => value)],
    // Whether the index of pieces or that of ids is the shorter way depends on how common the text is.
    prepare: false,
  })
}

function conditionsOf(text: string): Condition[] {
  const like = (p: string) =>
    `(case_fold(email) LIKE case_fold(${p}) OR case_fold(username) LIKE case_fold(${p}))`
  if ([...text].length < MIN_PIECE) return [['beginning', like, `${escapeLike(text)}%`]]
  const pieces = "text_trigrams(case_fold(email) || ' ' || case_fold(username))"
  return [
    ['pieces', (p) => `${pieces} @> text_trigrams(case_fold(${p}))`, text],
    ['part', like, `%${escapeLike(text)}%`],
  ]
}

function escapeLike(text: string): string {
  return text.replace(/[\\%_]/g, '\\$&')
}
