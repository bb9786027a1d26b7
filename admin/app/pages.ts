import type { FunctionComponent } from 'preact'
import type { PageProps, Route } from './route.ts'

/** Name of the product, which the service writes into the page. */
export const product = document.body.dataset['product'] ?? 'Groundwork'

type Page = FunctionComponent<PageProps>

interface Entry {
  /** The page's name in the menu, if it stands there. */
  readonly label?: string
  /** Modules of pages are loaded when somebody goes there. */
  list(): Promise<Page>
  /** The page of one of them. */
  one?(): Promise<Page>
}

/** The panel's pages in the order of the menu, by the first part of the URL's path. */
export const PAGES: Readonly<Record<string, Entry>> = {
  overview: {
    label: 'Overview',
    list: async () => (await import('../pages/overview.ts')).Overview,
  },
  users: {
    label: 'Users',
    list: async () => (await import('../pages/users.ts')).Users,
    one: async () => (await import('../pages/user.ts')).User,
  },
  organizations: {
    label: 'Organizations',
    list: async () => (await import('../pages/organizations.ts')).Organizations,
    one: async () => (await import('../pages/organization.ts')).Organization,
  },
  webhooks: {
    label: 'Webhooks',
    list: async () => (await import('../pages/webhooks.ts')).Webhooks,
  },
  jobs: {
    label: 'Jobs',
    list: async () => (await import('../pages/jobs.ts')).Jobs,
    one: async () => (await import('../pages/job.ts')).Job,
  },
  queues: {
    label: 'Queues',
    list: async () => (await import('../pages/queues.ts')).Queues,
  },
  'job-actions': {
    list: async () => (await import('../pages/job-actions.ts')).JobActions,
    one: async () => (await import('../pages/job-actions.ts')).JobActionPage,
  },
  mails: {
    label: 'Mails',
    list: async () => (await import('../pages/mails.ts')).Mails,
    one: async () => (await import('../pages/mail.ts')).Mail,
  },
  'mail-templates': {
    list: async () => (await import('../pages/mail-templates.ts')).MailTemplates,
    one: async () => (await import('../pages/mail-templates.ts')).MailTemplatePage,
  },
  files: {
    label: 'Files',
    list: async () => (await import('../pages/files.ts')).Files,
  },
  impersonations: {
    label: 'Impersonation',
    list: async () => (await import('../pages/impersonations.ts')).Impersonations,
  },
  audit: {
    label: 'Audit',
    list: async () => (await import('../pages/audit.ts')).Audit,
  },
  settings: {
    label: 'Settings',
    list: async () => (await import('../pages/settings.ts')).Settings,
  },
}

export const START = 'overview'

/** Loads the page of a route; undefined when the URL names none. */
export function loadPage({ path: [name = START, id] }: Route): Promise<Page> | undefined {
  const entry = Object.hasOwn(PAGES, name) ? PAGES[name] : undefined
  return id === undefined ? entry?.list() : entry?.one?.()
}
