import { type ComponentChildren, h } from 'preact'
import type { Impersonation } from '#schemas/impersonations.ts'
import { call, type Page } from '../app/api.ts'
import { session } from '../app/session.ts'
import { useLoad } from '../ui/load.ts'
import { Named } from '../ui/names.ts'
import { Act } from '../ui/pieces.ts'
import { Time } from '../ui/time.ts'
import { isOpen, stop } from './impersonations.ts'

const EVERY_MS = 30_000

/** Reminds an admin who acts in the place of a user. */
export function Banner(): ComponentChildren {
  const { value } = useLoad(
    'impersonations',
    (signal) => call<Page<Impersonation>>('operations/impersonations', { signal }),
    EVERY_MS,
  )
  const own = value?.data.filter((one) => one.impersonator_id === session.value?.user.id && isOpen(one)) ?? []
  return own.map((one) =>
    h(
      'div',
      { key: one.id, class: 'banner', role: 'status' },
      h(
        'span',
        null,
        'You act in the place of ',
        h(Named, { kind: 'user', id: one.user_id, word: 'a user' }),
        ' until',
      ),
      h(Time, { at: one.expires_at }),
      h(Act, { label: 'Stop', run: () => stop(one) }),
    ),
  )
}
