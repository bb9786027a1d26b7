import { type ComponentChildren, h } from 'preact'
import type { AdministeredOrganization } from '#schemas/administered-organizations.ts'
import type { AdministeredUser } from '#schemas/administered-users.ts'
import { perform } from '../app/api.ts'
import { Unfit } from '../app/refused.ts'
import { idOfAddress } from '../ui/addresses.ts'
import { changed } from '../ui/load.ts'
import { Act, Badge, isolated, say } from '../ui/pieces.ts'
import { askWithReason } from '../ui/questions.ts'

type Organization = AdministeredOrganization

const MAX_ADDRESS = 254

type States = Pick<Organization, 'deleted_at' | 'suspended_at' | 'purge_requested_at'>

/** State of an organization, in one word. */
export function stateOf({ deleted_at, suspended_at, purge_requested_at }: States): ComponentChildren {
  if (purge_requested_at !== null) return h(Badge, { tone: 'bad' }, 'purged soon')
  if (deleted_at !== null) return h(Badge, { tone: 'bad' }, 'deleted')
  return suspended_at === null ? h(Badge, { tone: 'good' }, 'open') : h(Badge, { tone: 'warn' }, 'suspended')
}

export function membersOf({ usage }: Pick<Organization, 'usage'>): string {
  return counted(usage.filter(({ table }) => table === 'memberships'))
}

/** All that an organization has, its members included. */
export function rowsOf({ usage }: Pick<Organization, 'usage'>): string {
  return counted(usage)
}

/** The sum of some numbers of rows: `1,000+` where counting ended before the last. */
export function counted(usage: Organization['usage']): string {
  const sum = usage.reduce((before, { rows }) => before + rows, 0)
  return `${sum.toLocaleString('en')}${usage.some(({ is_capped }) => is_capped) ? '+' : ''}`
}

/** Buttons for the acts that the organization's state allows. */
export function OrganizationActs({ organization }: { organization: Organization }): ComponentChildren {
  const { deleted_at, suspended_at, purge_requested_at } = organization
  if (purge_requested_at !== null) return null
  const isSuspended = suspended_at !== null
  return [
    deleted_at === null &&
      h(Act, {
        key: 'suspend',
        label: isSuspended ? 'Restore' : 'Suspend',
        danger: !isSuspended,
        run: () => suspend(organization, !isSuspended),
      }),
    (isSuspended || deleted_at !== null) &&
      h(Act, { key: 'purge', label: 'Purge', danger: true, run: () => purge(organization) }),
  ]
}

async function suspend(organization: Organization, suspends: boolean): Promise<void> {
  const { id } = organization
  const name = isolated(organization.name)
  const members = membersOf(organization)
  const many = members === '1' ? 'Its 1 member' : `Its ${members} members`
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

/** The button that appoints an owner. */
export function OwnerAct({ organization }: { organization: Organization }): ComponentChildren {
  if (organization.purge_requested_at !== null) return null
  return h(Act, { label: 'Appoint an owner', danger: true, run: () => appoint(organization) })
}

/** Asks who is to be an owner, unless that is known, and makes them one. */
export async function appoint(
  { id, name }: Pick<Organization, 'id' | 'name'>,
  member?: Pick<AdministeredUser, 'id' | 'email'>,
): Promise<void> {
  const who = member?.email ?? 'A member'
  const done = await askWithReason({
    title: `Appoint an owner of ${isolated(name)}`,
    text:
      `${who} can then do everything in the organization, and delete it. Who is an owner now remains one. ` +
      'Its members read of it in their audit log.',
    confirm: 'Appoint 1 owner',
    danger: true,
    fields:
      member === undefined
        ? [
            {
              name: 'user',
              label: 'Address of the member, or id',
              kind: 'text',
              maxLength: MAX_ADDRESS,
              hint: 'The page of a user lists the organizations of which the user is a member.',
            },
          ]
        : [],
    run: async ({ user = '', reason }) => {
      const user_id = member?.id ?? (user.includes('@') ? await idOfAddress(user) : user.trim())
      if (user_id === undefined) throw new Unfit('No account has this address.')
      await perform(`operations/organizations/${id}/owner`, { method: 'POST', body: { user_id, reason } })
    },
  })
  if (done) say(`${isolated(name)} has an owner.`)
  changed()
}

/** The last four characters of an id are enough to tell that somebody has looked at it. */
const PROOF_LENGTH = 4

async function purge(organization: Organization): Promise<void> {
  const { id } = organization
  const name = isolated(organization.name)
  const rows = rowsOf(organization)
  const proof = id.slice(-PROOF_LENGTH)
  const done = await askWithReason({
    title: `Purge ${name}`,
    text: `Its ${rows} rows and all its files are deleted for good within about an hour. Nobody can restore them.`,
    confirm: 'Purge 1 organization',
    danger: true,
    fields: [
      {
        name: 'proof',
        label: 'To be sure: the last 4 characters of its id',
        kind: 'text',
        maxLength: PROOF_LENGTH,
        hint: id,
      },
    ],
    run: async ({ proof: given, reason }) => {
      if (given !== proof) throw new Unfit('These are not the last 4 characters of its id.')
      await perform(`operations/organizations/${id}/purge`, { method: 'POST', body: { reason } })
    },
  })
  if (done) say(`${name} will be gone within about an hour.`)
  changed()
}
