import { type ComponentChildren, h } from 'preact'
import type { AdministeredOrganization } from '#schemas/administered-organizations.ts'
import { type Column, List } from '../ui/list.ts'
import { Badge, Heading, Id } from '../ui/pieces.ts'
import { Time } from '../ui/time.ts'

const COLUMNS: readonly Column<AdministeredOrganization>[] = [
  { title: 'Name', show: ({ name }) => name },
  { title: 'State', show: stateOf },
  { title: 'Members', isNumber: true, show: ({ usage }) => rowsOf(usage, 'memberships') },
  { title: 'Created', show: ({ created_at }) => h(Time, { at: created_at }) },
  { title: 'Id', show: ({ id }) => h(Id, { id, short: true }) },
]

/** All organizations. */
export function Organizations(): ComponentChildren {
  return h(
    'div',
    null,
    h(Heading, { title: 'Organizations' }),
    h(List<AdministeredOrganization>, {
      caption: 'Organizations, newest first',
      path: 'operations/organizations',
      columns: COLUMNS,
      keyOf: ({ id }) => id,
      empty: 'There is no organization yet. Users create them.',
    }),
  )
}

function stateOf({ deleted_at, suspended_at }: AdministeredOrganization): ComponentChildren {
  if (deleted_at !== null) return h(Badge, { tone: 'bad' }, 'deleted')
  return suspended_at === null ? h(Badge, { tone: 'good' }, 'open') : h(Badge, { tone: 'warn' }, 'suspended')
}

function rowsOf(usage: AdministeredOrganization['usage'], name: string): number {
  return usage.find(({ table }) => table === name)?.rows ?? 0
}
