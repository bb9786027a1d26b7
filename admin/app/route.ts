import { computed, signal } from '@preact/signals'

/** Filters of a page, as the URL has them. */
export type Query = Readonly<Record<string, string>>

/** The place that the URL's fragment names: `#/users/ID?tab=mails`. */
export interface Route {
  /** Parts of the path: `['users', 'ID']`. */
  readonly path: readonly string[]
  readonly query: Query
}

/** Properties of a page: the id that the URL names, if it does. */
export interface PageProps {
  readonly id: string
}

const fragment = signal(location.hash)

addEventListener('hashchange', () => {
  fragment.value = location.hash
})

/** The current route. */
export const route = computed<Route>(() => {
  const [path = '', query = ''] = fragment.value.replace(/^#\/?/, '').split('?', 2)
  const parts = path.split('/').filter(Boolean).map(decoded)
  return { path: parts, query: Object.fromEntries(new URLSearchParams(query)) }
})

/** The fragment that names a page; filters without a value are left out. */
export function linkTo(
  path: readonly string[],
  query: Readonly<Record<string, string | undefined>> = {},
): string {
  const filled = Object.entries(query).flatMap(([key, value]) => (value ? [[key, value]] : []))
  const search = filled.length > 0 ? `?${new URLSearchParams(filled)}` : ''
  return `#/${path.map(encodeURIComponent).join('/')}${search}`
}

/** Goes to a page. `replace` is for what somebody is still typing: the back button skips it. */
export function go(link: string, { replace = false } = {}): void {
  if (link === location.hash) return
  if (replace) {
    history.replaceState(null, '', link)
    fragment.value = link
  } else location.hash = link
}

/** A name that somebody has typed wrongly is a name that nothing has. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
