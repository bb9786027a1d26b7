import { type ComponentChildren, h } from 'preact'
import type { JobDetails, Job as ListedJob } from '#schemas/jobs.ts'
import { call } from '../app/api.ts'
import type { PageProps } from '../app/route.ts'
import { linkTo } from '../app/route.ts'
import { useLoad } from '../ui/load.ts'
import { Paused } from '../ui/paused.ts'
import { Act, Facts, Heading, Id, Section } from '../ui/pieces.ts'
import { Failure, Loading } from '../ui/states.ts'
import { duration, Time } from '../ui/time.ts'
import { pretty } from './audit.ts'
import { ACTIONS, actOnJobs } from './job-actions.ts'
import { attemptsOf, JobState } from './jobs.ts'

/** States of jobs that nobody has begun. */
const PENDING: readonly ListedJob['state'][] = ['waiting', 'retrying']

/** One job: what it is about, and what came of it. */
export function Job({ id }: PageProps): ComponentChildren {
  const path = `operations/jobs/${id}`
  const { value, error, reload } = useLoad(path, (signal) => call<JobDetails>(path, { signal }))
  return h(
    'div',
    null,
    h(
      Heading,
      { title: value ? `Job of ${value.queue}` : 'Job' },
      ACTIONS.filter(({ action }) => value?.actions.includes(action)).map(({ action, label, danger }) =>
        h(Act, { key: action, label, danger: danger ?? false, run: () => actOnJobs(action, { ids: [id] }) }),
      ),
      h('button', { type: 'button', onClick: reload }, 'Load again'),
    ),
    error !== undefined && h(Failure, { error, retry: reload }),
    error === undefined && value === undefined && h(Loading, null),
    value && h(Details, { job: value }),
  )
}

function Details({ job }: { job: JobDetails }): ComponentChildren {
  const { id, queue, state, attempts, retry_limit, error, data, output, source_id } = job
  return h(
    'div',
    { class: 'stack' },
    PENDING.includes(state) && h(Paused, { queue }),
    h(Facts, {
      facts: [
        ['State', h(JobState, { state })],
        ['Queue', h('a', { href: linkTo(['jobs'], { queue }) }, queue)],
        ['Attempts', attemptsOf(attempts, retry_limit)],
        ['Created', h(Time, { at: job.created_at })],
        ['Due', h(Time, { at: job.due_at })],
        ['Began', h(Time, { at: job.started_at })],
        ['Ended', h(Time, { at: job.completed_at })],
        ['Kept until', h(Time, { at: job.keep_until })],
        ['An attempt may take', duration(job.timeout_seconds)],
        ['Id', h(Id, { id })],
        ['Failed job', source_id && h('a', { href: linkTo(['jobs', source_id]) }, source_id)],
      ],
    }),
    error && h(Section, { title: 'Error' }, h('pre', { class: 'bad' }, error)),
    data && h(Section, { title: 'Data' }, h('pre', null, pretty(data))),
    output && h(Section, { title: 'Output' }, h('pre', null, pretty(output))),
  )
}
