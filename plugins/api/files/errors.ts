import { defineError } from '#lib/errors.ts'

export const PreconditionFailed = defineError({
  code: 'precondition_failed',
  status: 412,
  title: 'Precondition failed',
  detail: 'The content is not the one that `If-Match` or `If-Unmodified-Since` names.',
})

export const RangeNotSatisfiable = defineError({
  code: 'range_not_satisfiable',
  status: 416,
  title: 'Range not satisfiable',
  detail: 'The range begins after the end of the content; `Content-Range` says how long it is.',
})
