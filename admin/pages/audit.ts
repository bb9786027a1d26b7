import { type ComponentChildren, h } from 'preact'
import type { PlatformAuditEntry } from '#schemas/audit.ts'
import { linkTo, type Query, route } from '../app/route.ts'
import { session } from '../app/session.ts'
import { idOfAddress } from '../ui/addresses.ts'
import { type Filter, Filters } from '../ui/filters.ts'
import { type Column, List } from '../ui/list.ts'
import { useLoad } from '../ui/load.ts'
import { Named } from '../ui/names.ts'
import { Badge, Heading, Id } from '../ui/pieces.ts'
import { instantOf, Time } from '../ui/time.ts'

/** A log is searched by one of these; what an admin did, all of them. */
const SEARCHED = ['actor_id', 'action', 'target_id']
const others = (name: string) => [...SEARCHED.filter((other) => other !== name), 'admin_id']

const FILTERS: readonly Filter[] = [
  {
    name: 'actor_id',
    label: 'Who',
    kind: 'search',
    placeholder: 'Address, or id',
    instead: others('actor_id'),
  },
  {
    name: 'action',
    label: 'Action',
    kind: 'search',
    placeholder: 'users.updated',
    instead: others('action'),
  },
  {
    name: 'target_id',
    label: 'Done to',
    kind: 'search',
    placeholder: 'Address, or id',
    instead: others('target_id'),
  },
  {
    name: 'organization_id',
    label: 'Log of organization',
    kind: 'search',
    placeholder: 'Id',
    instead: ['admin_id'],
  },
  {
    name: 'admin_id',
    label: 'Admin, in all logs',
    kind: 'search',
    placeholder: 'Address, or id',
    instead: [...SEARCHED, 'organization_id'],
  },
  { name: 'since', label: 'Since', kind: 'time' },
  { name: 'until', label: 'Until', kind: 'time' },
]

const COLUMNS: readonly Column<PlatformAuditEntry>[] = [
  { title: 'When', show: ({ at }) => h(Time, { at }) },
  {
    title: 'Action',
    show: ({ action, outcome }) => [
      inWords(action),
      ' ',
      outcome === 'denied' && h(Badge, { key: 'outcome', tone: 'bad' }, outcome),
      h(
        'p',
        { key: 'action', class: 'hint code' },
        h('a', { href: linkTo(['audit'], { action }), title: 'Only this action' }, action),
      ),
    ],
  },
  { title: 'Who', show: (entry) => party(entry.actor_kind, entry.actor_id) },
  { title: 'Done to', show: (entry) => party(entry.target_type, entry.target_id) },
  { title: 'Details', show: (entry) => h(Details, { entry }) },
  { title: 'Request', show: ({ request_id }) => request_id && h(Id, { id: request_id, form: 'short' }) },
]

/** Whose log an entry is in, where there are many. */
const LOG: Column<PlatformAuditEntry> = {
  title: 'Log',
  show: ({ organization_id: id }) =>
    id === null ? 'The service' : h(Named, { kind: 'organization', id, word: 'organization' }),
}

const OF_SERVICE =
  'This is the log of the service. What was done to an organization is in its own log: open it from the page of the organization. What an admin of the service did is found in all logs by the admin.'
const OF_ADMIN =
  'What this person did as an admin of the service, in its log and in those of all organizations. What they did as a member of one is in its log only.'

/** The audit log of the service, or of an organization, or what an admin did in all of them. */
export function Audit(): ComponentChildren {
  const { query } = route.value
  const own = session.value?.user.id
  const actor = useId(query['actor_id'])
  const target = useId(query['target_id'])
  const admin = useId(query['admin_id'])
  const unknown = [actor, target, admin].find(({ isUnknown }) => isUnknown)
  const wanted = unknown ? undefined : wantedBy({ ...query, admin_id: admin.id })
  return h(
    'div',
    null,
    h(
      Heading,
      { title: 'Audit' },
      own && h('a', { class: 'button', href: linkTo(['audit'], { admin_id: own }) }, 'What I did'),
    ),
    h(Filters, { filters: FILTERS }),
    query['organization_id'] === undefined &&
      h('p', { class: 'hint' }, query['admin_id'] === undefined ? OF_SERVICE : OF_ADMIN),
    unknown && h('p', { class: 'hint', role: 'status' }, `No account has the address ${unknown.text}.`),
    wanted && h('p', { class: 'hint', role: 'status' }, wanted),
    wanted === undefined &&
      unknown === undefined &&
      h(List<PlatformAuditEntry>, {
        caption: 'Audit entries, newest first',
        path: 'operations/audit-entries',
        query: filterOf(query, { actor_id: actor.id, target_id: target.id, admin_id: admin.id }),
        columns: query['admin_id'] === undefined ? COLUMNS : [...COLUMNS, LOG],
        keyOf: ({ id }) => id,
        empty: query['organization_id']
          ? 'Nothing was recorded in the log of this organization that matches.'
          : 'Nothing was recorded that matches. Clear the filters.',
      }),
  )
}

/** A whole action, as the API has them, and a whole id. */
const ACTION = /^[a-z][a-z_]*[.][A-Za-z][A-Za-z0-9_]*$/
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** Returns the part that a filter still lacks while somebody types; the API would refuse it as it is. */
function wantedBy({ action, organization_id, admin_id }: Partial<Query>): string | undefined {
  if (action && !ACTION.test(action)) return 'Type the whole action, such as users.updated.'
  if (organization_id && !UUID.test(organization_id))
    return 'Type the whole id; the page of organizations has it.'
  if (admin_id && !UUID.test(admin_id)) return 'Type the whole address of the admin, or the whole id.'
  return undefined
}

/** The filter as the API takes it; times are the browser's. */
function filterOf(
  { action, organization_id, since, until }: Query,
  ids: Readonly<Record<'actor_id' | 'target_id' | 'admin_id', string | undefined>>,
) {
  return { ...ids, action, organization_id, since: instantOf(since), until: instantOf(until) }
}

/** The id that somebody means, who may have typed an address instead; an address of nobody matches nothing. */
function useId(text = ''): { text: string; id: string | undefined; isUnknown: boolean } {
  const isAddress = text.includes('@')
  const { value } = useLoad(isAddress ? text : '', async (signal) =>
    isAddress ? { text, id: await idOfAddress(text, signal) } : undefined,
  )
  if (!isAddress) return { text, id: text || undefined, isUnknown: false }
  const isKnown = value?.text === text
  return { text, id: (isKnown && value.id) || text, isUnknown: isKnown && value.id === undefined }
}

/** An action as people say it: `operations.endUserSessions` is "End user sessions", `users.updated` is "Users: updated". */
function inWords(action: string): string {
  const [domain = '', name = ''] = action.split('.', 2)
  const words = name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`).replaceAll('_', ' ')
  if (name === '') return action
  return domain === 'operations' ? capital(words) : `${capital(domain.replaceAll('_', ' '))}: ${words}`
}

const capital = (text: string) => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`

function party(word: string, id: string | null): ComponentChildren {
  // An act on nothing that has an id is named by its action.
  if (id === null || word === 'operation') return word === 'operation' ? null : word
  if (word === 'user' || word === 'admin') return h(Named, { kind: 'user', id, word })
  if (word === 'organization') return h(Named, { kind: 'organization', id })
  const page = PAGES_OF[word]
  return [page ? h('a', { href: linkTo([page, id]) }, word) : word, ' ', h(Id, { id, form: 'short' })]
}

/** Pages of what acts are done to. */
const PAGES_OF: Readonly<Record<string, string>> = { mail: 'mails', job_action: 'job-actions' }

function Details({ entry }: { entry: PlatformAuditEntry }): ComponentChildren {
  const { details, ip, user_agent, seq } = entry
  return h(
    'details',
    null,
    h('summary', null, preview(details)),
    h('pre', null, pretty(details)),
    h(
      'p',
      { class: 'muted' },
      [ip, user_agent, seq === null ? 'not sealed yet' : `entry ${seq}`].filter(Boolean).join(' · '),
    ),
  )
}

/** Characters of a reason beside its entry, which has all of it. */
const MAX_PREVIEW = 80

function beginningOf(text: string): string {
  const characters = [...text]
  return characters.length > MAX_PREVIEW ? `${characters.slice(0, MAX_PREVIEW).join('')}…` : text
}

/** The reason of an act, or what it has changed. */
function preview(details: string): string {
  const known = parsed(details)
  const { reason, changed } = known
  if (typeof reason === 'string') return beginningOf(reason)
  return Array.isArray(changed) && changed.length > 0
    ? `${changed.join(', ').replaceAll('_', ' ')}`
    : 'Details'
}

function parsed(json: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(json))
  } catch {
    return {}
  }
}

/** JSON with a line for each value; what is not JSON stays as it is. */
export function pretty(json: string): string {
  try {
    return JSON.stringify(JSON.parse(json), null, 2)
  } catch {
    return json
  }
}
