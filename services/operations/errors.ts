import { defineError } from '#lib/errors.ts'

export const QueueNotFound = defineError({
  code: 'queue_not_found',
  status: 404,
  title: 'Queue not found',
  detail: 'There is no queue with this name.',
})

export const JobNotFound = defineError({
  code: 'job_not_found',
  status: 404,
  title: 'Job not found',
  detail: 'There is no job with this id; those that are done are kept for a day.',
})

export const JobActionNotFound = defineError({
  code: 'job_action_not_found',
  status: 404,
  title: 'Job action not found',
  detail: 'There is no action with this id.',
})

export const ScheduleNotFound = defineError({
  code: 'schedule_not_found',
  status: 404,
  title: 'Schedule not found',
  detail: 'No job of this queue runs by itself.',
})
