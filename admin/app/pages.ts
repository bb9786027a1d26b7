import type { FunctionComponent } from 'preact'
import type { PageProps, Route } from './route.ts'

/** Name of the product, which the service writes into the page. */
export const product = document.body.dataset['product'] ?? 'Groundwork'

type Page = FunctionComponent<PageProps>

interface Entry {
  readonly label: string
  /** Modules of pages are loaded when somebody goes there. */
  list(): Promise<Page>
  /** The page of one of them. */
  one?(): Promise<Page>
}

/** The panel's pages in the order of the menu, by the first part of the URL's path. */
export const PAGES: Readonly<Record<string, Entry>> = {
  users: {
    label: 'Users',
    list: async () => (await import('../pages/users.ts')).Users,
    one: async () => (await import('../pages/user.ts')).User,
  },
  organizations: {
    label: 'Organizations',
    list: async () => (await import('../pages/organizations.ts')).Organizations,
  },
  audit: {
    label: 'Audit',
    list: async () => (await import('../pages/audit.ts')).Audit,
  },
}

export const START = 'users'

/** Loads the page of a route; undefined when the URL names none. */
export function loadPage({ path: [name = START, id] }: Route): Promise<Page> | undefined {
  const entry = Object.hasOwn(PAGES, name) ? PAGES[name] : undefined
  return id === undefined ? entry?.list() : entry?.one?.()
}
