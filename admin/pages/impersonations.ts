import { type ComponentChildren, h } from 'preact'
import type { Impersonation } from '#schemas/impersonations.ts'
import { perform } from '../app/api.ts'
import { type Column, List } from '../ui/list.ts'
import { changed } from '../ui/load.ts'
import { Named } from '../ui/names.ts'
import { Act, Badge, Cut, Heading, say } from '../ui/pieces.ts'
import { askWithReason } from '../ui/questions.ts'
import { Time } from '../ui/time.ts'

const COLUMNS: readonly Column<Impersonation>[] = [
  { title: 'In the place of', show: ({ user_id }) => h(Named, { kind: 'user', id: user_id }) },
  {
    title: 'Admin',
    show: ({ impersonator_id }) => h(Named, { kind: 'user', id: impersonator_id, word: 'admin' }),
  },
  { title: 'Reason', show: ({ reason }) => h(Cut, { text: reason }) },
  { title: 'Began', show: ({ created_at }) => h(Time, { at: created_at }) },
  { title: 'Ends', show: ({ expires_at, ended_at }) => h(Time, { at: ended_at ?? expires_at }) },
  {
    title: 'Actions',
    show: (one) =>
      isOpen(one) ? h(Act, { label: 'Stop', danger: true, run: () => stop(one) }) : h(Badge, null, 'ended'),
  },
]

/** Sessions in which admins act in the place of users. */
export function Impersonations(): ComponentChildren {
  return h(
    'div',
    null,
    h(Heading, { title: 'Impersonation' }),
    h(
      'p',
      { class: 'muted' },
      'Begin on the page of a user. It is told to the user by mail, and ends within half an hour.',
    ),
    h(List<Impersonation>, {
      caption: 'Impersonation, newest first',
      path: 'operations/impersonations',
      columns: COLUMNS,
      keyOf: ({ id }) => id,
      empty: 'No admin has acted in the place of a user.',
    }),
  )
}

/** Whether it goes on. */
export function isOpen({ ended_at, expires_at }: Impersonation): boolean {
  return ended_at === null && Date.parse(expires_at) > Date.now()
}

/** Asks, and ends it. */
export async function stop({ id }: Impersonation): Promise<void> {
  const done = await askWithReason({
    title: 'Stop acting as the user',
    text: 'The token stops working at once.',
    confirm: 'Stop',
    danger: true,
    run: ({ reason }) =>
      perform(`operations/impersonations/${id}/stop`, { method: 'POST', body: { reason } }),
  })
  if (done) say('It is over.')
  changed()
}
