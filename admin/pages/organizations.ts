import { type ComponentChildren, h } from 'preact'
import type { AdministeredOrganization } from '#schemas/administered-organizations.ts'
import { linkTo, route } from '../app/route.ts'
import { type Filter, Filters } from '../ui/filters.ts'
import { type Column, List, pick } from '../ui/list.ts'
import { Badge, Heading, Id } from '../ui/pieces.ts'
import { Time } from '../ui/time.ts'
import { membersOf, OrganizationActs, rowsOf, stateOf } from './organization-acts.ts'

const FILTERS: readonly Filter[] = [
  { name: 'q', label: 'Search', kind: 'search', placeholder: 'Part of a name or slug, or an id' },
]

const COLUMNS: readonly Column<AdministeredOrganization>[] = [
  { title: 'Name', show: ({ id, name }) => h('a', { href: linkTo(['organizations', id]) }, name) },
  { title: 'Slug', show: ({ slug }) => slug },
  {
    title: 'State',
    show: (organization) => [
      stateOf(organization),
      !organization.has_owner && h(Badge, { key: 'owner', tone: 'bad' }, 'no owner'),
    ],
  },
  { title: 'Members', isNumber: true, show: membersOf },
  { title: 'Rows', isNumber: true, show: rowsOf },
  { title: 'Created', show: ({ created_at }) => h(Time, { at: created_at }) },
  { title: 'Id', show: ({ id }) => h(Id, { id, form: 'short' }) },
  {
    title: 'Actions',
    show: (organization) => h('div', { class: 'buttons' }, h(OrganizationActs, { organization })),
  },
]

/** All organizations. */
export function Organizations(): ComponentChildren {
  return h(
    'div',
    null,
    h(Heading, { title: 'Organizations' }),
    h(Filters, { filters: FILTERS }),
    h(List<AdministeredOrganization>, {
      caption: 'Organizations, newest first',
      path: 'operations/organizations',
      query: pick(route.value.query, 'q'),
      columns: COLUMNS,
      keyOf: ({ id }) => id,
      empty: route.value.query['q']
        ? 'No organization matches. Search for less of the name, or clear the filters.'
        : 'There is no organization yet. Users create them.',
    }),
  )
}
