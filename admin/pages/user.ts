import { type ComponentChildren, h } from 'preact'
import type { Session } from '#schemas/sessions.ts'
import type { User as UserSchema } from '#schemas/users.ts'
import { callVersioned, perform } from '../app/api.ts'
import type { PageProps } from '../app/route.ts'
import { linkTo, route } from '../app/route.ts'
import { session } from '../app/session.ts'
import { type Column, List } from '../ui/list.ts'
import { changed, useLoad } from '../ui/load.ts'
import { Act, Badge, Facts, Heading, Id, Section, say } from '../ui/pieces.ts'
import { ask } from '../ui/questions.ts'
import { Failure, Loading } from '../ui/states.ts'
import { Time } from '../ui/time.ts'
import { stateOf } from './users.ts'

/** A user, and the version that a change of it names. */
interface Known {
  readonly value: UserSchema
  readonly version: string
}

/** One user: who it is, where it is signed in, and what can be done. */
export function User({ id }: PageProps): ComponentChildren {
  const path = `users/${id}`
  const loaded = useLoad(path, (signal) => callVersioned<UserSchema>(path, { signal }))
  const { value: known, error, reload } = loaded
  return h(
    'div',
    null,
    h(Heading, { title: known?.value.email ?? 'User' }, known && h(Acts, { known })),
    error !== undefined && h(Failure, { error, retry: reload }),
    error === undefined && known === undefined && h(Loading, null),
    known && h(Details, { user: known.value }),
  )
}

function Details({ user }: { user: UserSchema }): ComponentChildren {
  const { id, username, role, is_active, created_at, updated_at } = user
  return h(
    'div',
    { class: 'stack' },
    h(Facts, {
      facts: [
        ['Name', username],
        ['State', stateOf(is_active)],
        ['Role', role],
        ['Created', h(Time, { at: created_at })],
        ['Changed', h(Time, { at: updated_at })],
        ['Id', h(Id, { id })],
      ],
    }),
    h(
      'p',
      { class: 'buttons' },
      h('a', { class: 'button', href: linkTo(['audit'], { target_id: id }) }, 'What was done to the account'),
      h('a', { class: 'button', href: linkTo(['audit'], { actor_id: id }) }, 'What the user did'),
    ),
    h(
      Section,
      { title: 'Open sessions' },
      h(List<Session>, {
        caption: 'Open sessions, newest first',
        path: `users/${id}/sessions`,
        columns: SESSIONS,
        keyOf: (one) => one.id,
        empty: 'The user is not signed in anywhere.',
      }),
    ),
  )
}

const SESSIONS: readonly Column<Session>[] = [
  { title: 'Device', show: ({ user_agent }) => user_agent ?? 'unknown' },
  { title: 'Address', show: ({ ip }) => ip },
  { title: 'Signed in', show: ({ created_at }) => h(Time, { at: created_at }) },
  { title: 'Last used', show: ({ last_used_at }) => h(Time, { at: last_used_at }) },
  {
    title: 'Actions',
    show: (one) =>
      one.is_current
        ? h(Badge, null, 'this one')
        : h(Act, { label: 'End', danger: true, run: () => endSession(one) }),
  },
]

/** Buttons for the acts that the user's state allows. */
function Acts({ known }: { known: Known }): ComponentChildren {
  const { value: user } = known
  const isSelf = session.value?.user.id === user.id
  const { is_active, role } = user
  return [
    h(Act, { key: 'end', label: 'End all sessions', danger: true, run: () => endSessions(user) }),
    !isSelf &&
      h(Act, {
        key: 'role',
        label: role === 'admin' ? 'Make a user' : 'Make an admin',
        run: () => change(known, { role: role === 'admin' ? 'user' : 'admin' }),
      }),
    !isSelf &&
      h(Act, {
        key: 'active',
        label: is_active ? 'Deactivate' : 'Activate',
        danger: is_active,
        run: () => change(known, { is_active: !is_active }),
      }),
  ]
}

async function change(
  { value: user, version }: Known,
  changes: Partial<Pick<UserSchema, 'role' | 'is_active'>>,
) {
  const done = await ask({
    title: `Change ${user.email}`,
    text:
      changes.is_active === undefined
        ? `The role becomes ${changes.role}, at once and in every open session.`
        : changes.is_active
          ? 'The user can sign in again.'
          : 'The user is signed out everywhere, and cannot sign in any more.',
    confirm: 'Change',
    danger: changes.is_active === false,
    run: () =>
      perform(`users/${user.id}`, { method: 'PATCH', body: changes, headers: { 'if-match': version } }),
  })
  if (done) say('Changed.')
  changed()
}

async function endSessions({ id, email }: UserSchema): Promise<void> {
  const done = await ask({
    title: `End all sessions of ${email}`,
    text: 'The user is signed out everywhere, at once.',
    confirm: 'End all sessions',
    danger: true,
    run: () => perform(`users/${id}/sessions`, { method: 'DELETE' }),
  })
  if (done) say('All sessions are ended.')
  changed()
}

async function endSession({ id, user_agent }: Session): Promise<void> {
  const [, user = ''] = route.value.path
  const done = await ask({
    title: 'End this session',
    text: `${user_agent ?? 'The device'} is signed out at once.`,
    confirm: 'End the session',
    danger: true,
    run: () => perform(`users/${user}/sessions/${id}`, { method: 'DELETE' }),
  })
  if (done) say('The session is ended.')
  changed()
}
