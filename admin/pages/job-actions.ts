import { type ComponentChildren, h } from 'preact'
import type { Job, JobAction, JobActionPreview } from '#schemas/jobs.ts'
import { call, perform } from '../app/api.ts'
import type { PageProps } from '../app/route.ts'
import { go, linkTo } from '../app/route.ts'
import { type Column, List } from '../ui/list.ts'
import { changed, useLoad } from '../ui/load.ts'
import { Named } from '../ui/names.ts'
import { Paused } from '../ui/paused.ts'
import { Act, Badge, Cut, Facts, Heading, Id, say } from '../ui/pieces.ts'
import { askWithReason } from '../ui/questions.ts'
import { explain, Failure, Loading } from '../ui/states.ts'
import { Time } from '../ui/time.ts'
import { pretty } from './audit.ts'

type Action = JobAction['action']

/** Actions on jobs, and the states that allow them. */
export const ACTIONS: readonly {
  readonly action: Action
  readonly label: string
  readonly states: readonly Job['state'][]
  readonly danger?: boolean
  readonly text: string
}[] = [
  {
    action: 'retry',
    label: 'Retry',
    states: ['waiting', 'retrying', 'cancelled', 'dead'],
    text: 'They are due at once; dead letters go back into their queues.',
  },
  {
    action: 'cancel',
    label: 'Cancel',
    states: ['waiting', 'retrying'],
    danger: true,
    text: 'They are not done, but kept for a while, so that they can be retried.',
  },
  {
    action: 'delete',
    label: 'Delete',
    states: ['waiting', 'retrying', 'completed', 'cancelled', 'failed', 'dead'],
    danger: true,
    text: 'They are gone for good.',
  },
]

/** The queue that they are done by. */
export const QUEUE = 'act_on_jobs'

/** Jobs by their ids, or all that a filter finds; fields that nobody has filled in are undefined. */
export interface Target {
  readonly ids?: readonly string[]
  readonly filter?: Readonly<Record<string, string | undefined>>
}

/** Asks how many there are, asks for the reason, and does it. */
export async function actOnJobs(action: Action, jobs: Target): Promise<void> {
  const { label, text, danger } = ACTIONS.find((one) => one.action === action) ?? { label: action, text: '' }
  const target = filled(jobs)
  let preview: JobActionPreview
  try {
    preview = await call('operations/job-actions/preview', { method: 'POST', body: { action, jobs: target } })
  } catch (error) {
    return say(explain(error))
  }
  const { count, is_capped } = preview
  if (count === 0) return say(`There is no job to ${action}: their states do not allow it.`)
  const many = `${count.toLocaleString('en')}${is_capped ? ' or more' : ''} ${count === 1 ? 'job' : 'jobs'}`
  await askWithReason({
    title: `${label} ${many}`,
    text,
    confirm: `${label} ${many}`,
    danger: danger ?? false,
    run: async ({ reason }) => {
      const body = { action, jobs: target, reason }
      const headers = { 'idempotency-key': crypto.randomUUID() }
      const { id } = await call<JobAction>('operations/job-actions', { method: 'POST', body, headers })
      changed()
      go(linkTo(['job-actions', id]))
    },
  })
}

function filled({ ids, filter = {} }: Target): object {
  return ids ? { ids } : { filter: Object.fromEntries(Object.entries(filter).filter(([, value]) => value)) }
}

const COLUMNS: readonly Column<JobAction>[] = [
  { title: 'Action', show: ({ id, action }) => h('a', { href: linkTo(['job-actions', id]) }, action) },
  { title: 'State', show: ({ status }) => h(ActionState, { status }) },
  { title: 'Done', isNumber: true, show: ({ done, total }) => `${done} of ${total}` },
  { title: 'Reason', show: ({ reason }) => h(Cut, { text: reason }) },
  { title: 'Began', show: ({ created_at }) => h(Time, { at: created_at }) },
]

/** Actions on many jobs, newest first. */
export function JobActions(): ComponentChildren {
  return h(
    'div',
    null,
    h(Heading, { title: 'Actions on jobs' }, h('a', { class: 'button', href: linkTo(['jobs']) }, 'Jobs')),
    h(List<JobAction>, {
      caption: 'Actions on jobs, newest first',
      path: 'operations/job-actions',
      columns: COLUMNS,
      keyOf: ({ id }) => id,
      empty: 'Nothing was done to jobs so far. Choose some on the page of jobs.',
    }),
  )
}

const EVERY_MS = 1000

/** One of them, and how far it is. */
export function JobActionPage({ id }: PageProps): ComponentChildren {
  const path = `operations/job-actions/${id}`
  const { value, error, reload } = useLoad(path, (signal) => call<JobAction>(path, { signal }), EVERY_MS)
  const failure = error !== undefined && h(Failure, { error, retry: reload })
  if (value === undefined) return h('div', null, h(Heading, { title: 'Action' }), failure || h(Loading, null))
  const { action, status, done, total, reason, requested_by, created_at, finished_at, selection } = value
  return h(
    'div',
    null,
    h(
      Heading,
      { title: `Action: ${action}` },
      status === 'running' && h(Act, { label: 'Stop', danger: true, run: () => stop(value) }),
    ),
    failure,
    h(
      'p',
      { role: 'status' },
      h(ActionState, { status }),
      ` ${done.toLocaleString('en')} of ${total.toLocaleString('en')} jobs`,
    ),
    status === 'running' && h(Paused, { queue: QUEUE }),
    h('progress', { value: done, max: Math.max(total, 1), 'aria-label': 'Progress' }),
    h(Facts, {
      facts: [
        ['Reason', reason],
        ['By', requested_by && h(Named, { kind: 'user', id: requested_by })],
        ['Began', h(Time, { at: created_at })],
        ['Ended', finished_at && h(Time, { at: finished_at })],
        ['Id', h(Id, { id })],
      ],
    }),
    h('pre', null, pretty(selection)),
  )
}

function ActionState({ status }: Pick<JobAction, 'status'>): ComponentChildren {
  return h(Badge, { tone: status === 'finished' ? 'good' : 'warn' }, status)
}

async function stop({ id, done, total }: JobAction): Promise<void> {
  await askWithReason({
    title: 'Stop the action',
    text: `What is done stays done: ${done} of ${total} jobs by now.`,
    confirm: 'Stop',
    danger: true,
    run: ({ reason }) => perform(`operations/job-actions/${id}/stop`, { method: 'POST', body: { reason } }),
  })
  changed()
}
