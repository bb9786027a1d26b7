import { type ComponentChildren, h } from 'preact'
import type { Queue } from '#schemas/jobs.ts'
import { call, type Page } from '../app/api.ts'
import { linkTo } from '../app/route.ts'
import { useLoad } from './load.ts'

/** How often somebody who waits for a queue is told. */
const EVERY_MS = 5000

/** Says that nothing happens because a queue is paused, where somebody waits for what it does. */
export function Paused({ queue }: { queue: string }): ComponentChildren {
  const { value } = useLoad(
    'queues',
    (signal) => call<Page<Queue>>('operations/queues', { query: { limit: '100' }, signal }),
    EVERY_MS,
  )
  const isPaused = value?.data.some(({ name, is_paused }) => name === queue && is_paused)
  return (
    isPaused &&
    h(
      'p',
      { class: 'hint', role: 'status' },
      `The queue ${queue} is paused, so none of its jobs is begun. `,
      h('a', { href: linkTo(['queues']) }, 'Resume it'),
      ' to go on.',
    )
  )
}
