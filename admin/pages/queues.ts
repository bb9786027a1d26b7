import { type ComponentChildren, h } from 'preact'
import type { EnqueuedJob, Queue, Schedule } from '#schemas/jobs.ts'
import { call, perform } from '../app/api.ts'
import { go, linkTo } from '../app/route.ts'
import { type Column, List } from '../ui/list.ts'
import { changed } from '../ui/load.ts'
import { Act, Badge, Heading, Section, say } from '../ui/pieces.ts'
import { askWithReason } from '../ui/questions.ts'
import { duration, Time } from '../ui/time.ts'
import { QUEUE } from './job-actions.ts'

const COLUMNS: readonly Column<Queue>[] = [
  { title: 'Queue', show: ({ name }) => h('a', { href: linkTo(['jobs'], { queue: name }) }, name) },
  {
    title: 'State',
    show: ({ is_paused }) =>
      h(Badge, { tone: is_paused ? 'warn' : 'good' }, is_paused ? 'paused' : 'running'),
  },
  count('waiting'),
  count('retrying'),
  count('active'),
  count('dead'),
  {
    title: 'Oldest due',
    isNumber: true,
    show: ({ oldest_due_seconds: age }) => (age > 0 ? duration(age) : '–'),
  },
  {
    title: 'Actions',
    show: (queue) => h(Act, { label: queue.is_paused ? 'Resume' : 'Pause', run: () => toggle(queue) }),
  },
]

const SCHEDULES: readonly Column<Schedule>[] = [
  { title: 'Queue', show: ({ queue }) => queue },
  { title: 'When (UTC)', show: ({ cron }) => h('code', null, cron) },
  { title: 'Next', show: ({ next_at }) => h(Time, { at: next_at }) },
  { title: 'Actions', show: (schedule) => h(Act, { label: 'Run now', run: () => runNow(schedule) }) },
]

/** Queues, and the jobs that run by the clock. */
export function Queues(): ComponentChildren {
  return h(
    'div',
    null,
    h(Heading, { title: 'Queues' }, h('a', { class: 'button', href: linkTo(['jobs']) }, 'All jobs')),
    h(List<Queue>, {
      caption: 'Queues',
      path: 'operations/queues',
      columns: COLUMNS,
      keyOf: ({ name }) => name,
      empty: 'There is no queue.',
    }),
    h(
      Section,
      { title: 'Schedules' },
      h(List<Schedule>, {
        caption: 'Jobs that run by the clock',
        path: 'operations/schedules',
        columns: SCHEDULES,
        keyOf: ({ queue }) => queue,
        empty: 'Nothing runs by the clock.',
      }),
    ),
  )
}

function count(state: 'waiting' | 'retrying' | 'active' | 'dead'): Column<Queue> {
  return {
    title: `${state[0]?.toUpperCase()}${state.slice(1)}`,
    isNumber: true,
    show: ({ name, [state]: jobs }) =>
      jobs === 0 ? 0 : h('a', { href: linkTo(['jobs'], { queue: name, state }) }, jobs),
  }
}

async function toggle({ name, is_paused, waiting, retrying }: Queue): Promise<void> {
  const verb = is_paused ? 'resume' : 'pause'
  const jobs = waiting + retrying
  const done = await askWithReason({
    title: is_paused ? `Resume ${name}` : `Pause ${name}`,
    text: is_paused
      ? `${jobs} jobs that wait go on.`
      : `No job of it is begun any more, on any instance, until it is resumed. ${jobs} wait now.${
          name === QUEUE ? ' Nor is what you do to many jobs at once: retrying, cancelling and deleting.' : ''
        }`,
    confirm: is_paused ? 'Resume' : 'Pause',
    danger: !is_paused,
    run: ({ reason }) => perform(`operations/queues/${name}/${verb}`, { method: 'POST', body: { reason } }),
  })
  if (!done) return
  say(`${name} is ${is_paused ? 'running' : 'paused'}.`)
  changed()
}

async function runNow({ queue }: Schedule): Promise<void> {
  await askWithReason({
    title: `Run ${queue} now`,
    text: 'One job is added to the queue. The schedule stays as it is.',
    confirm: 'Run now',
    run: async ({ reason }) => {
      const path = `operations/schedules/${queue}/run`
      const { job_id } = await call<EnqueuedJob>(path, { method: 'POST', body: { reason } })
      go(linkTo(['jobs', job_id]))
    },
  })
}
