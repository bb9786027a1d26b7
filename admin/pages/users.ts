import { type ComponentChildren, h } from 'preact'
import type { AdministeredUser } from '#schemas/administered-users.ts'
import { linkTo, route } from '../app/route.ts'
import { type Filter, Filters } from '../ui/filters.ts'
import { type Column, List, pick } from '../ui/list.ts'
import { Badge, Heading, Id } from '../ui/pieces.ts'
import { Time } from '../ui/time.ts'

const FILTERS: readonly Filter[] = [
  { name: 'q', label: 'Search', kind: 'search', placeholder: 'Part of an address or name, or an id' },
  {
    name: 'role',
    label: 'Role',
    kind: 'select',
    options: [
      ['user', 'User'],
      ['admin', 'Admin'],
    ],
  },
  {
    name: 'is_active',
    label: 'State',
    kind: 'select',
    options: [
      ['true', 'Active'],
      ['false', 'Deactivated'],
    ],
  },
]

const COLUMNS: readonly Column<AdministeredUser>[] = [
  { title: 'Address', show: ({ id, email }) => h('a', { href: linkTo(['users', id]) }, email) },
  { title: 'Name', show: ({ username }) => username },
  { title: 'Role', show: ({ role }) => h(Badge, { tone: role === 'admin' ? 'warn' : 'plain' }, role) },
  { title: 'State', show: ({ is_active }) => stateOf(is_active) },
  { title: 'Address confirmed', show: ({ email_verified_at }) => h(Time, { at: email_verified_at }) },
  { title: 'Created', show: ({ created_at }) => h(Time, { at: created_at }) },
  { title: 'Id', show: ({ id }) => h(Id, { id, form: 'short' }) },
]

/** All users. */
export function Users(): ComponentChildren {
  const query = pick(route.value.query, 'q', 'role', 'is_active')
  return h(
    'div',
    null,
    h(Heading, { title: 'Users' }),
    h(Filters, { filters: FILTERS }),
    h(List<AdministeredUser>, {
      caption: 'Users',
      path: 'operations/users',
      query,
      columns: COLUMNS,
      keyOf: ({ id }) => id,
      empty: 'No user matches. Search for less of the address, or clear the filters.',
    }),
  )
}

export function stateOf(isActive: boolean): ComponentChildren {
  return h(Badge, { tone: isActive ? 'good' : 'bad' }, isActive ? 'active' : 'deactivated')
}
