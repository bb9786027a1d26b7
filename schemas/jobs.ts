import { type Static, Type } from '@sinclair/typebox'
import { Reason } from './operations.ts'
import { Page, pageParameters } from './pagination.ts'
import { Nullable, StringEnum, Timestamp, Uuid } from './primitives.ts'
import { ref } from './registry.ts'

const QueueName = (description: string) =>
  Type.String({
    minLength: 1,
    maxLength: 100,
    pattern: '^[a-z][a-z0-9_]*$',
    'x-message': 'must begin with a lower-case letter, and go on with these, digits or `_`',
    description,
    examples: ['send_mail'],
  })

const Count = (description: string) => Type.Integer({ minimum: 0, description, examples: [0] })
const Seconds = (description: string) => Type.Number({ minimum: 0, description, examples: [12.5] })
const Moment = (description: string) =>
  Nullable(Type.String({ format: 'date-time', description, examples: ['2026-01-31T08:15:30.123Z'] }))

/** How much a queue holds, by state. */
export const queueCounts = {
  waiting: Count('Jobs that wait for their first attempt.'),
  retrying: Count('Jobs that failed and are tried again later.'),
  active: Count('Jobs that are worked on.'),
  dead: Count('Jobs that were given up: its dead letters.'),
  oldest_due_seconds: Seconds('How long the job that is due longest has been so; 0 when none is due.'),
}

/** A queue of jobs. */
export const Queue = Type.Object(
  {
    name: QueueName('Name of the queue.'),
    ...queueCounts,
    is_paused: Type.Boolean({ description: 'Whether its jobs wait until it is resumed.', examples: [false] }),
    cron: Nullable(
      Type.String({ description: 'When it gets a job by itself, in UTC.', examples: ['17 * * * *'] }),
    ),
  },
  { $id: 'Queue', additionalProperties: false, description: 'A queue of jobs, and what it holds.' },
)
export type Queue = Static<typeof Queue>

/** Path parameters of one queue. */
export const QueueParams = Type.Object(
  { name: QueueName('Name of the queue.') },
  { additionalProperties: false },
)

const State = StringEnum(['waiting', 'retrying', 'active', 'completed', 'cancelled', 'failed', 'dead'], {
  description:
    '`retrying` jobs failed and are tried again; `failed` ones were given up, and have a dead letter, which is `dead`.',
  examples: ['dead'],
})

const Action = StringEnum(['retry', 'cancel', 'delete'], {
  description:
    '`retry`: what waits for later is due now, and dead letters go back into their queues; `cancel`: what waits is not ' +
    'done, but kept; `delete`: it is gone.',
  examples: ['retry'],
})

const jobProperties = {
  id: Uuid('Identifier of the job.'),
  queue: Type.String({
    description: 'Its queue; of a dead letter, the one it comes from.',
    examples: ['send_mail'],
  }),
  state: State,
  created_at: Timestamp('When it was enqueued first.'),
  due_at: Timestamp('When it is due, or was.'),
  started_at: Moment('When its last attempt began.'),
  completed_at: Moment('When it ended.'),
  attempts: Count('Attempts so far.'),
  retry_limit: Count('Attempts after the first.'),
  error: Nullable(
    Type.String({
      description: 'Error of the last attempt that failed.',
      examples: ['connect ECONNREFUSED'],
    }),
  ),
  actions: Type.Array(Action, {
    description: 'What can be done with it in its state.',
    examples: [['retry']],
  }),
}

/** A job. */
export const Job = Type.Object(jobProperties, {
  $id: 'Job',
  additionalProperties: false,
  description: 'Work that is done later, or was.',
})
export type Job = Static<typeof Job>

/** A job with what it is about. */
export const JobDetails = Type.Object(
  {
    ...jobProperties,
    data: Nullable(
      Type.String({ description: 'What it is about, as JSON without secrets.', examples: ['{"id":"1"}'] }),
    ),
    output: Nullable(
      Type.String({
        description: 'What came of it, as JSON without secrets.',
        examples: ['{"message":"no"}'],
      }),
    ),
    retry_delay_seconds: Count('Seconds before the second attempt; later ones wait longer.'),
    timeout_seconds: Count('Seconds that an attempt may take.'),
    heartbeat_at: Moment('When the worker last showed that it lives.'),
    keep_until: Timestamp('Until when it is kept if nothing is done.'),
    source_id: Nullable(Uuid('Of a dead letter: the job that failed.')),
  },
  { $id: 'JobDetails', additionalProperties: false, description: 'A job with what it is about.' },
)
export type JobDetails = Static<typeof JobDetails>

/** Path parameters of one job. */
export const JobParams = Type.Object(
  { id: Uuid('Identifier of the job.', { 'x-normalize': 'lowercase' }) },
  { additionalProperties: false },
)

const filter = {
  queue: Type.Optional(QueueName('Only jobs of this queue.')),
  state: Type.Optional(State),
  error: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 200,
      description: 'Only jobs whose error has this in it, in any case.',
      examples: ['ECONNREFUSED'],
    }),
  ),
  since: Type.Optional(Timestamp('Only jobs created at this time or later.')),
  until: Type.Optional(Timestamp('Only jobs created before this time.')),
}

/** Query of listJobs. */
export const ListJobsQuery = Type.Object({ ...pageParameters, ...filter }, { additionalProperties: false })
export type ListJobsQuery = Static<typeof ListJobsQuery>

const JobFilter = Type.Object(filter, {
  additionalProperties: false,
  description: 'All jobs like this, of all pages.',
})

const JobIds = Type.Array(Uuid('Identifier of a job.', { 'x-normalize': 'lowercase' }), {
  minItems: 1,
  maxItems: 100,
  uniqueItems: true,
  description: 'These jobs.',
})

/** The jobs that something is done to. */
export const JobTarget = Type.Object(
  { ids: Type.Optional(JobIds), filter: Type.Optional(JobFilter) },
  {
    $id: 'JobTarget',
    additionalProperties: false,
    minProperties: 1,
    maxProperties: 1,
    description: 'Jobs by their ids, or all that a filter finds.',
    examples: [{ filter: { state: 'dead', queue: 'send_mail' } }],
  },
)
export type JobTarget = Static<typeof JobTarget>

/** Body of previewJobAction. */
export const PreviewJobAction = Type.Object(
  { action: Action, jobs: ref(JobTarget) },
  {
    $id: 'PreviewJobAction',
    additionalProperties: false,
    description: 'What would be done, and to which jobs.',
    examples: [{ action: 'retry', jobs: { filter: { state: 'dead', queue: 'send_mail' } } }],
  },
)
export type PreviewJobAction = Static<typeof PreviewJobAction>

/** Answer of previewJobAction. */
export const JobActionPreview = Type.Object(
  {
    count: Count('Jobs that it would be done to: those whose state allows it.'),
    is_capped: Type.Boolean({
      description: 'Whether there are more; counting ends somewhere.',
      examples: [false],
    }),
  },
  { $id: 'JobActionPreview', additionalProperties: false, description: 'How many jobs would be changed.' },
)
export type JobActionPreview = Static<typeof JobActionPreview>

/** Body of createJobAction. */
export const CreateJobAction = Type.Object(
  { action: Action, jobs: ref(JobTarget), reason: Reason },
  {
    $id: 'CreateJobAction',
    additionalProperties: false,
    description: 'What is to be done, and to which jobs.',
    examples: [
      { action: 'retry', jobs: { filter: { state: 'dead', queue: 'send_mail' } }, reason: 'Ticket 4711' },
    ],
  },
)
export type CreateJobAction = Static<typeof CreateJobAction>

/** Something that is done to many jobs. */
export const JobAction = Type.Object(
  {
    id: Uuid('Identifier of the action (UUIDv7).'),
    action: Action,
    selection: Type.String({
      description: 'The jobs, as they were asked for: JSON.',
      examples: ['{"filter":{}}'],
    }),
    reason: Type.String({ description: 'Why it is done.', examples: ['Ticket 4711'] }),
    requested_by: Nullable(Uuid('The admin; null once the account is deleted.')),
    status: StringEnum(['running', 'finished', 'stopped'], {
      description: 'Few jobs are changed at once; more by and by.',
      examples: ['finished'],
    }),
    total: Count('Jobs that there were to change when it began.'),
    done: Count('Jobs that it has changed.'),
    created_at: Timestamp('When it began.'),
    finished_at: Moment('When it ended.'),
  },
  { $id: 'JobAction', additionalProperties: false, description: 'Something that is done to many jobs.' },
)
export type JobAction = Static<typeof JobAction>

/** Path parameters of one action. */
export const JobActionParams = Type.Object(
  { id: Uuid('Identifier of the action.', { 'x-normalize': 'lowercase' }) },
  { additionalProperties: false },
)

/** A job that runs by itself. */
export const Schedule = Type.Object(
  {
    queue: QueueName('The queue that gets the job.'),
    cron: Type.String({ description: 'When, in the five fields of cron, UTC.', examples: ['17 * * * *'] }),
    next_at: Moment('When it is next.'),
    last_job_id: Nullable(Uuid('The job that it created last, which may be gone.')),
  },
  { $id: 'Schedule', additionalProperties: false, description: 'A job that runs by itself.' },
)
export type Schedule = Static<typeof Schedule>

/** Path parameters of one schedule. */
export const ScheduleParams = Type.Object(
  { queue: QueueName('The queue of the schedule.') },
  { additionalProperties: false },
)

/** Answer of runScheduleNow. */
export const EnqueuedJob = Type.Object(
  { job_id: Uuid('The job.') },
  { $id: 'EnqueuedJob', additionalProperties: false, description: 'A job that was enqueued.' },
)
export type EnqueuedJob = Static<typeof EnqueuedJob>

/** Query of lists without filters. */
export const ListQuery = Type.Object(pageParameters, { additionalProperties: false })
export type ListQuery = Static<typeof ListQuery>

export const JobPage = Page(ref(Job), 'JobPage')
export type JobPage = Static<typeof JobPage>
export const QueuePage = Page(ref(Queue), 'QueuePage')
export type QueuePage = Static<typeof QueuePage>
export const SchedulePage = Page(ref(Schedule), 'SchedulePage')
export type SchedulePage = Static<typeof SchedulePage>
export const JobActionPage = Page(ref(JobAction), 'JobActionPage')
export type JobActionPage = Static<typeof JobActionPage>
