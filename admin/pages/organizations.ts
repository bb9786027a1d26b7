import { type ComponentChildren, h } from 'preact'
import type { AdministeredOrganization } from '#schemas/administered-organizations.ts'
import { perform } from '../app/api.ts'
import { linkTo } from '../app/route.ts'
import { type Column, List } from '../ui/list.ts'
import { changed } from '../ui/load.ts'
import { Act, Badge, Heading, Id, say } from '../ui/pieces.ts'
import { askWithReason } from '../ui/questions.ts'
import { Time } from '../ui/time.ts'

const COLUMNS: readonly Column<AdministeredOrganization>[] = [
  { title: 'Name', show: ({ id, name }) => h('a', { href: linkTo(['organizations', id]) }, name) },
  { title: 'State', show: stateOf },
  { title: 'Members', isNumber: true, show: membersOf },
  { title: 'Usage', show: ({ usage }) => h(Usage, { usage }) },
  { title: 'Created', show: ({ created_at }) => h(Time, { at: created_at }) },
  { title: 'Id', show: ({ id }) => h(Id, { id, short: true }) },
  { title: 'Actions', show: actsOn },
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

function Usage({ usage }: Pick<AdministeredOrganization, 'usage'>): ComponentChildren {
  const used = usage.filter(({ rows }) => rows > 0)
  const sum = used.reduce((total, { rows }) => total + rows, 0)
  return h(
    'details',
    null,
    h('summary', null, `${sum.toLocaleString('en')} rows`),
    used.map(({ table, rows }) =>
      h('p', { key: table, class: 'hint' }, `${table.replaceAll('_', ' ')}: ${rows.toLocaleString('en')}`),
    ),
  )
}

function membersOf({ usage }: AdministeredOrganization): number {
  return usage.find(({ table }) => table === 'memberships')?.rows ?? 0
}

/** Buttons for the acts that the organization's state allows. */
function actsOn(organization: AdministeredOrganization): ComponentChildren {
  const { deleted_at, suspended_at } = organization
  if (deleted_at !== null) return null
  const isSuspended = suspended_at !== null
  return h(Act, {
    label: isSuspended ? 'Restore' : 'Suspend',
    danger: !isSuspended,
    run: () => suspend(organization, !isSuspended),
  })
}

async function suspend(organization: AdministeredOrganization, suspends: boolean): Promise<void> {
  const { id, name } = organization
  const members = membersOf(organization)
  const many = members === 1 ? 'Its 1 member' : `Its ${members} members`
  const done = await askWithReason({
    title: `${suspends ? 'Suspend' : 'Restore'} ${name}`,
    text: suspends
      ? `${many} cannot use it until it is restored. Nothing is deleted.`
      : `${many} can use it again.`,
    confirm: `${suspends ? 'Suspend' : 'Restore'} 1 organization`,
    danger: suspends,
    run: ({ reason }) =>
      perform(`operations/organizations/${id}/${suspends ? 'suspend' : 'restore'}`, {
        method: 'POST',
        body: { reason },
      }),
  })
  if (done) say(`${name} is ${suspends ? 'suspended' : 'open again'}.`)
  changed()
}
