/**
 * Whose rows a statement may see: what the policies of tenant tables compare (docs/tenancy.md). Without one it sees no
 * row of them.
 */
export interface Scope {
  /** The organization; its rows and no others. */
  readonly org?: string
  /** The user; also the rows that say which organizations are theirs. */
  readonly user?: string
  /** `system` sees the rows of every organization: for jobs, clean-up, commands, backups. */
  readonly scope?: 'system'
}

export const NO_SCOPE: Scope = {}

/** Whether two scopes see the same rows. */
export function isSameScope(one: Scope, other: Scope): boolean {
  return one === other || (one.org === other.org && one.user === other.user && one.scope === other.scope)
}

/**
 * Sets the scope until the transaction's end, and returns no row. The filter is what runs the calls: all three, because
 * each is false. An empty text counts as not set, as it is what a setting becomes after the transaction.
 */
export const SET_SCOPE =
  "SELECT 1 WHERE set_config('app.org_id', $1, true) IS NULL OR set_config('app.user_id', $2, true) IS NULL " +
  "OR set_config('app.scope', $3, true) IS NULL"

/** Values of SET_SCOPE. */
export function scopeValues({ org, user, scope }: Scope): string[] {
  return [org ?? '', user ?? '', scope ?? '']
}
