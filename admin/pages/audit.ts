import { type ComponentChildren, h } from 'preact'
import type { AuditEntry } from '#schemas/audit.ts'
import { linkTo, type Query, route } from '../app/route.ts'
import { type Filter, Filters } from '../ui/filters.ts'
import { type Column, List } from '../ui/list.ts'
import { Badge, Heading, Id } from '../ui/pieces.ts'
import { instantOf, Time } from '../ui/time.ts'

/** The log is searched by one of these. */
const SEARCHED = ['actor_id', 'action', 'target_id']
const others = (name: string) => SEARCHED.filter((other) => other !== name)

const FILTERS: readonly Filter[] = [
  {
    name: 'actor_id',
    label: 'Who',
    kind: 'search',
    placeholder: 'Id of a user or key',
    instead: others('actor_id'),
  },
  {
    name: 'action',
    label: 'Action',
    kind: 'search',
    placeholder: 'users.updated',
    instead: others('action'),
  },
  { name: 'target_id', label: 'Done to', kind: 'search', placeholder: 'Id', instead: others('target_id') },
  { name: 'organization_id', label: 'Organization', kind: 'search', placeholder: 'Id' },
  { name: 'since', label: 'Since', kind: 'time' },
  { name: 'until', label: 'Until', kind: 'time' },
]

/** Columns of audit entries. */
export const AUDIT_COLUMNS: readonly Column<AuditEntry>[] = [
  { title: 'When', show: ({ at }) => h(Time, { at }) },
  {
    title: 'Action',
    show: ({ action, outcome }) => [action, ' ', outcome === 'denied' && h(Badge, { tone: 'bad' }, outcome)],
  },
  { title: 'Who', show: (entry) => party(entry.actor_kind, entry.actor_id) },
  { title: 'Done to', show: (entry) => party(entry.target_type, entry.target_id) },
  { title: 'Details', show: (entry) => h(Details, { entry }) },
  { title: 'Request', show: ({ request_id }) => request_id && h(Id, { id: request_id, short: true }) },
]

/** The audit log of the service, or of an organization. */
export function Audit(): ComponentChildren {
  const { query } = route.value
  return h(
    'div',
    null,
    h(Heading, { title: 'Audit' }),
    h(Filters, { filters: FILTERS }),
    h(List<AuditEntry>, {
      caption: 'Audit entries, newest first',
      path: 'operations/audit-entries',
      query: filterOf(query),
      columns: AUDIT_COLUMNS,
      keyOf: ({ id }) => id,
      empty:
        'Nothing was recorded that matches. Clear the filters, or choose an organization: its entries are its own.',
    }),
  )
}

/** A half-typed id is refused by the list; times are the browser's. */
function filterOf({ actor_id, action, target_id, organization_id, since, until }: Query) {
  return { actor_id, action, target_id, organization_id, since: instantOf(since), until: instantOf(until) }
}

function party(kind: string, id: string | null): ComponentChildren {
  if (id === null) return kind
  const isUser = kind === 'user' || kind === 'admin'
  const page = isUser ? 'users' : kind === 'organization' ? 'organizations' : undefined
  return [page ? h('a', { href: linkTo([page, id]) }, kind) : kind, ' ', h(Id, { id, short: true })]
}

function Details({ entry }: { entry: AuditEntry }): ComponentChildren {
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

/** The reason of an act, or the names of what else is known. */
function preview(details: string): string {
  const known = parsed(details)
  if (typeof known['reason'] === 'string') return known['reason']
  return Object.keys(known).join(', ').replaceAll('_', ' ') || 'more'
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
