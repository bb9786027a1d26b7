import { type ComponentChildren, h } from 'preact'
import type { AdministeredUser, EndedSessions, SentMail } from '#schemas/administered-users.ts'
import type { StartedImpersonation } from '#schemas/impersonations.ts'
import type { Session } from '#schemas/sessions.ts'
import { call, perform } from '../app/api.ts'
import { go, linkTo } from '../app/route.ts'
import { session } from '../app/session.ts'
import { changed } from '../ui/load.ts'
import { Act, Id, say } from '../ui/pieces.ts'
import { ask, askWithReason } from '../ui/questions.ts'
import { Time } from '../ui/time.ts'

/** A user, and the version that a change of it names. */
export interface Known {
  readonly value: AdministeredUser
  readonly version: string
}

/** Buttons for the acts that the user's state allows. */
export function UserActs({ known }: { known: Known }): ComponentChildren {
  const { value: user } = known
  const isSelf = session.value?.user.id === user.id
  const { is_active, role } = user
  return [
    is_active && h(Act, { key: 'reset', label: 'Send a password link', run: () => sendReset(user) }),
    h(Act, { key: 'end', label: 'End all sessions', danger: true, run: () => endSessions(user) }),
    !isSelf &&
      is_active &&
      role !== 'admin' &&
      h(Act, { key: 'impersonate', label: 'Act as the user', danger: true, run: () => impersonate(user) }),
    !isSelf &&
      h(Act, {
        key: 'role',
        label: role === 'admin' ? 'Make a user' : 'Make an admin',
        danger: role !== 'admin',
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

type Changes = Partial<Pick<AdministeredUser, 'role' | 'is_active'>>

async function change({ value: user, version }: Known, changes: Changes): Promise<void> {
  const done = await askWithReason({
    title: `Change ${user.email}`,
    text: consequenceOf(changes),
    confirm: 'Change 1 user',
    danger: changes.is_active === false || changes.role === 'admin',
    run: ({ reason }) =>
      perform(`operations/users/${user.id}`, {
        method: 'PATCH',
        body: { ...changes, reason },
        headers: { 'if-match': version },
      }),
  })
  if (done) say('Changed.')
  changed()
}

function consequenceOf({ role, is_active }: Changes): string {
  if (role === 'admin') return 'The user can then do everything that you can, here and by the API.'
  if (role === 'user') return 'The user cannot use this panel any more, at once and in every open session.'
  return is_active
    ? 'The user can sign in again.'
    : 'The user is signed out everywhere, and cannot sign in any more.'
}

async function endSessions({ id, email }: AdministeredUser): Promise<void> {
  await askWithReason({
    title: `End all sessions of ${email}`,
    text: 'The user is signed out everywhere, at once. Your own session stays.',
    confirm: 'End all sessions',
    danger: true,
    run: async ({ reason }) => {
      const path = `operations/users/${id}/sessions/end`
      const { ended } = await call<EndedSessions>(path, { method: 'POST', body: { reason } })
      say(`${ended} ${ended === 1 ? 'session is' : 'sessions are'} ended.`)
    },
  })
  changed()
}

/** Ends one session of a user. */
export async function endSession(user: AdministeredUser, one: Session): Promise<void> {
  const done = await askWithReason({
    title: 'End 1 session',
    text: `${one.user_agent ?? 'The device'} is signed out at once.`,
    confirm: 'End the session',
    danger: true,
    run: ({ reason }) =>
      perform(`operations/users/${user.id}/sessions/end`, {
        method: 'POST',
        body: { session_id: one.id, reason },
      }),
  })
  if (done) say('The session is ended.')
  changed()
}

async function sendReset({ id, email }: AdministeredUser): Promise<void> {
  await askWithReason({
    title: 'Send a password link',
    text: `A mail with a link to choose another password goes to ${email}.`,
    confirm: 'Send 1 mail',
    run: async ({ reason }) => {
      const path = `operations/users/${id}/password-reset`
      const { mail_id } = await call<SentMail>(path, { method: 'POST', body: { reason } })
      go(linkTo(['mails', mail_id]))
    },
  })
}

async function impersonate({ id, email }: AdministeredUser): Promise<void> {
  let started: StartedImpersonation | undefined
  await askWithReason({
    title: `Act in the place of ${email}`,
    text: 'The user is told by mail. All that you do is recorded with both of your accounts; what can do harm is refused.',
    confirm: 'Begin',
    danger: true,
    fields: [
      { name: 'minutes', label: 'For how many minutes', kind: 'number', min: 1, max: 30, value: '15' },
    ],
    run: async ({ minutes, reason }) => {
      const body = { user_id: id, minutes: Number(minutes), reason }
      const headers = { 'idempotency-key': crypto.randomUUID() }
      started = await call('operations/impersonations', { method: 'POST', body, headers })
    },
  })
  changed()
  if (started === undefined) return
  const { impersonation, tokens } = started
  await ask({
    title: `You act in the place of ${email}`,
    text: [
      h(
        'p',
        { key: 'how' },
        'Send this access token with requests, or give it to your product. It is shown once.',
      ),
      h('p', { key: 'token' }, h(Id, { id: tokens.access_token, form: 'short' })),
      h('p', { key: 'end' }, 'It ends ', h(Time, { at: impersonation.expires_at })),
    ],
    confirm: 'Done',
  })
}
