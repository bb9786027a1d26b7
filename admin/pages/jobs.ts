import { type ComponentChildren, h } from 'preact'
import type { Job, Queue } from '#schemas/jobs.ts'
import { call, type Page } from '../app/api.ts'
import { linkTo, route } from '../app/route.ts'
import { type Filter, Filters } from '../ui/filters.ts'
import { type Column, List } from '../ui/list.ts'
import { useLoad } from '../ui/load.ts'
import { Paused } from '../ui/paused.ts'
import { Act, Badge, Heading, type Tone } from '../ui/pieces.ts'
import { instantOf, Time } from '../ui/time.ts'
import { ACTIONS, actOnJobs } from './job-actions.ts'

const STATES: readonly Job['state'][] = [
  'waiting',
  'retrying',
  'active',
  'completed',
  'cancelled',
  'failed',
  'dead',
]

/** States for those who do not know them. */
const MEANINGS: Readonly<Record<Job['state'], string>> = {
  waiting: 'Nobody has begun them: they are due later, or a worker has not come to them.',
  retrying: 'An attempt has failed. They are tried again by themselves when they are due.',
  active: 'A worker is at them now.',
  completed: 'They are done, and kept for a day.',
  cancelled: 'An admin has cancelled them. Retry has them done after all.',
  failed: 'All attempts have failed. What can be retried is under “dead”.',
  dead: 'All attempts have failed. They wait here until somebody retries or deletes them.',
}

const TONES: Partial<Record<Job['state'], Tone>> = {
  active: 'good',
  retrying: 'warn',
  failed: 'bad',
  dead: 'bad',
}

const COLUMNS: readonly Column<Job>[] = [
  { title: 'Queue', show: ({ id, queue }) => h('a', { href: linkTo(['jobs', id]) }, queue) },
  { title: 'State', show: ({ state }) => h(JobState, { state }) },
  { title: 'Created', show: ({ created_at }) => h(Time, { at: created_at }) },
  { title: 'Due', show: ({ due_at }) => h(Time, { at: due_at }) },
  {
    title: 'Attempts',
    isNumber: true,
    show: ({ attempts, retry_limit }) => attemptsOf(attempts, retry_limit),
  },
  { title: 'Error', show: ({ error }) => error && h('span', { class: 'bad cut' }, error) },
]

/** Jobs that a filter finds, and what can be done with all of them. */
export function Jobs(): ComponentChildren {
  const { queue, state, error, since, until } = route.value.query
  const filter = { queue, state, error, since: instantOf(since), until: instantOf(until) }
  const queues = useLoad('queues', (signal) =>
    call<Page<Queue>>('operations/queues', { query: { limit: '100' }, signal }),
  )
  const names = queues.value?.data.map(({ name }) => [name, name] as const) ?? []
  const known = STATES.find((one) => one === state)
  const actions = ACTIONS.filter(({ states }) => !state || states.some((one) => one === state))

  return h(
    'div',
    null,
    h(
      Heading,
      { title: 'Jobs' },
      actions.map(({ action, label, danger }) =>
        h(Act, {
          key: action,
          label: `${label} all…`,
          danger: danger ?? false,
          run: () => actOnJobs(action, { filter }),
        }),
      ),
      h('a', { class: 'button', href: linkTo(['job-actions']) }, 'Past actions'),
    ),
    h(Filters, { filters: filtersOf(queue && names.length === 0 ? [[queue, queue]] : names) }),
    known !== undefined && h('p', { class: 'hint', role: 'status' }, MEANINGS[known]),
    queue && h(Paused, { queue }),
    h(List<Job>, {
      caption: 'Jobs',
      path: 'operations/jobs',
      query: filter,
      columns: COLUMNS,
      keyOf: ({ id }) => id,
      empty:
        'No job matches. Jobs that ended are kept for some days only; clear the filters to see all there are.',
    }),
  )
}

/** Attempts so far, of how many; those of a dead letter are over. */
export function attemptsOf(attempts: number, retryLimit: number): string {
  return attempts > retryLimit + 1 ? `${attempts}` : `${attempts} of ${retryLimit + 1}`
}

/** The state of a job in one word. */
export function JobState({ state }: { state: Job['state'] }): ComponentChildren {
  return h(Badge, { tone: TONES[state] ?? 'plain' }, state)
}

function filtersOf(queues: readonly (readonly [string, string])[]): Filter[] {
  return [
    { name: 'error', label: 'Error', kind: 'search', placeholder: 'Part of its text' },
    { name: 'queue', label: 'Queue', kind: 'select', options: queues },
    { name: 'state', label: 'State', kind: 'select', options: STATES.map((state) => [state, state]) },
    { name: 'since', label: 'Created since', kind: 'time' },
    { name: 'until', label: 'Created until', kind: 'time' },
  ]
}
