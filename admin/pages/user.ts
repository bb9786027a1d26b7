import { type ComponentChildren, h } from 'preact'
import type { AdministeredUser } from '#schemas/administered-users.ts'
import type { File } from '#schemas/files.ts'
import type { MailRecord } from '#schemas/mails.ts'
import type { Organization } from '#schemas/organizations.ts'
import type { Session } from '#schemas/sessions.ts'
import { callVersioned } from '../app/api.ts'
import { linkTo, type PageProps } from '../app/route.ts'
import { type Column, List } from '../ui/list.ts'
import { useLoad } from '../ui/load.ts'
import { Act, Badge, Facts, Heading, Id, Section } from '../ui/pieces.ts'
import { size } from '../ui/sizes.ts'
import { Failure, Loading } from '../ui/states.ts'
import { Time } from '../ui/time.ts'
import { MAIL_COLUMNS } from './mails.ts'
import { appoint, stateOf as organizationState } from './organization-acts.ts'
import { Space } from './space.ts'
import { endSession, type Known, UserActs } from './user-acts.ts'
import { stateOf } from './users.ts'

/** One user: who it is, all that belongs to it, and what can be done. */
export function User({ id }: PageProps): ComponentChildren {
  const path = `operations/users/${id}`
  const {
    value: known,
    error,
    reload,
  } = useLoad(path, (signal) => callVersioned<AdministeredUser>(path, { signal }))
  return h(
    'div',
    null,
    h(Heading, { title: known?.value.email ?? 'User' }, known && h(UserActs, { known })),
    error !== undefined && h(Failure, { error, retry: reload }),
    error === undefined && known === undefined && h(Loading, null),
    known && h(Details, { known }),
  )
}

function Details({ known: { value: user } }: { known: Known }): ComponentChildren {
  const { id } = user
  return h(
    'div',
    { class: 'stack' },
    h(Facts, { facts: factsOf(user) }),
    h(
      'p',
      { class: 'buttons' },
      h('a', { class: 'button', href: linkTo(['audit'], { target_id: id }) }, 'What was done to the account'),
      h('a', { class: 'button', href: linkTo(['audit'], { actor_id: id }) }, 'What the user did'),
    ),
    part<MailRecord>('Mails', 'operations/mails', MAILS, 'No mail was written to the user so far.', {
      user_id: id,
    }),
    part<Session>(
      'Open sessions',
      `operations/users/${id}/sessions`,
      sessionsOf(user),
      'The user is not signed in anywhere.',
    ),
    part<Organization>(
      'Organizations',
      `operations/users/${id}/organizations`,
      organizationsOf(user),
      'The user is in no organization.',
    ),
    part<File>('Files', `operations/users/${id}/files`, FILES, 'The user has no files.'),
    h(Space, { id }),
  )
}

function factsOf(user: AdministeredUser): (readonly [string, ComponentChildren])[] {
  const { id, username, role, is_active, email_verified_at, has_password, created_at, updated_at } = user
  return [
    ['Name', username],
    ['State', stateOf(is_active)],
    ['Role', role],
    ['Address confirmed', h(Time, { at: email_verified_at })],
    ['Password', has_password ? 'chosen' : 'not chosen yet'],
    ['Created', h(Time, { at: created_at })],
    ['Changed', h(Time, { at: updated_at })],
    ['Id', h(Id, { id })],
  ]
}

/** Something of the user's, as a list with a heading. */
function part<T extends { readonly id: string }>(
  title: string,
  path: string,
  columns: readonly Column<T>[],
  empty: string,
  query?: Readonly<Record<string, string>>,
): ComponentChildren {
  const list = { caption: title, path, columns, empty, keyOf: ({ id }: T) => id, ...(query ? { query } : {}) }
  return h(Section, { key: title, title }, h(List<T>, list))
}

function sessionsOf(user: AdministeredUser): Column<Session>[] {
  return [
    { title: 'Device', show: ({ user_agent }) => user_agent ?? 'unknown' },
    { title: 'Address', show: ({ ip }) => ip },
    { title: 'Signed in', show: ({ created_at }) => h(Time, { at: created_at }) },
    { title: 'Last used', show: ({ last_used_at }) => h(Time, { at: last_used_at }) },
    {
      title: 'Actions',
      show: (one) =>
        one.is_current
          ? h(Badge, null, 'this one')
          : h(Act, { label: 'End', danger: true, run: () => endSession(user, one) }),
    },
  ]
}

/** To whom they are is known here. */
const MAILS: readonly Column<MailRecord>[] = [
  { title: 'Mail', show: ({ id, template }) => h('a', { href: linkTo(['mails', id]) }, template) },
  ...MAIL_COLUMNS.slice(2),
]

function organizationsOf(user: AdministeredUser): Column<Organization>[] {
  return [
    { title: 'Name', show: ({ id, name }) => h('a', { href: linkTo(['organizations', id]) }, name) },
    { title: 'State', show: (one) => organizationState({ ...one, purge_requested_at: null }) },
    { title: 'Role', show: ({ role }) => role },
    { title: 'Id', show: ({ id }) => h(Id, { id, form: 'short' }) },
    {
      title: 'Actions',
      show: (one) =>
        user.is_active &&
        one.role !== 'owner' &&
        h(Act, { label: 'Appoint as an owner', danger: true, run: () => appoint(one, user) }),
    },
  ]
}

const FILES: readonly Column<File>[] = [
  { title: 'Name', show: ({ name }) => name },
  { title: 'Type', show: ({ media_type }) => media_type },
  { title: 'Size', isNumber: true, show: (file) => file.size !== null && size(file.size) },
  { title: 'State', show: ({ status }) => status },
  { title: 'Created', show: ({ created_at }) => h(Time, { at: created_at }) },
]
