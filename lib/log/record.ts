import { type Static, type TProperties, Type } from '@sinclair/typebox'

const text = (description: string) => Type.String({ description })
const count = (description: string) => Type.Number({ minimum: 0, description })
const hex = (digits: number, description: string) =>
  Type.String({ pattern: `^[0-9a-f]{${digits}}$`, description })

/** Fields of every line. */
const Always = {
  level: Type.String({
    enum: ['trace', 'debug', 'info', 'warn', 'error', 'fatal'],
    description: '`error` and `fatal` mean that somebody should look.',
  }),
  time: Type.String({
    pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z$',
    description: 'RFC 3339, UTC.',
  }),
  msg: text('What happened, one of a closed set of texts but for those of libraries.'),
}

const Where = {
  pid: count('Process, with several workers.'),
  module: text('Part of the service: `database`, `identity`, `jobs`, `mail`.'),
  trace_id: hex(32, 'Trace of the request or job, with `tracing.endpoint`.'),
  span_id: hex(16, 'Its span.'),
}

const Request = {
  request_id: text("Request, the caller's own `x-request-id` if it sent one."),
  operation: text('operationId; `unknown` where nothing is, `other` for pages.'),
  method: text('HTTP method.'),
  path: text('Path without the query, cut at 200 characters.'),
  status: Type.Integer({
    minimum: 100,
    maximum: 599,
    description: 'Of the answer; 499: the client had left.',
  }),
  duration_ms: count('Milliseconds that it took, of a request or a statement.'),
  user_id: text('Who is signed in, or whom it is about.'),
  api_key_id: text('API key that asks; never its text.'),
  organization_id: text('Organization of that key, or that it is about.'),
  remote_address: text('Address of the client.'),
  parser_code: text("Node's code for data that is not HTTP."),
}

const Job = {
  queue: text('Queue of the job, which is its name.'),
  job_id: text('Job; the same for each attempt.'),
  attempt: count('1 for the first.'),
  mail_id: text('Mail; its `Message-ID` is made of it.'),
  template: text('Template of the mail.'),
  deleted: Type.Unknown({ description: 'Rows that a cleanup deleted, by table.' }),
}

const ErrorFields: TProperties = {
  type: Type.String(),
  message: Type.String(),
  code: Type.Optional(Type.String()),
  stack: Type.String(),
  cause: Type.Optional(Type.Unknown()),
}

const Others = {
  err: Type.Object(ErrorFields, {
    additionalProperties: false,
    description: 'Error: `type`, `message`, `code`, `stack`, and its `cause` in the same form.',
  }),
  statement: text('Name of an SQL statement, with the module `database` at `trace`.'),
  log_levels: Type.Unknown({ description: 'Levels from now on; null for those of the configuration.' }),
  signal: text('Signal that ends the process, or ended a worker.'),
  restart: Type.Boolean({ description: 'Whether a worker ends because another has taken its place.' }),
  sid: text('Session that was ended for a refresh token used twice.'),
  repeated: count('How often a trouble came back since the last line about it.'),
  refused: count('Requests refused with 503 since the last such line.'),
  reasons: Type.Unknown({ description: 'How many of them for each reason.' }),
  pressure: Type.Unknown({
    description: 'What the process had to do: event loop, heap, requests in flight, callers of the database.',
  }),
  file: text('File that a warning is about.'),
  details: Type.Unknown({ description: 'What pg-boss says with a warning.' }),
  worker_pid: count('Worker that a line of their primary is about.'),
  code: Type.Union([Type.Number(), Type.Null()], { description: 'Its exit code.' }),
  delay_ms: count('Milliseconds until another takes its place.'),
  workers: count('How many workers there are.'),
  phase: text('What the end of the process was doing when its time was over.'),
}

/** The groups of fields, by their heading in docs/logging.md. */
export const LOG_FIELDS = {
  'Every line': Always,
  'Where it belongs': Where,
  Requests: Request,
  'Jobs and mail': Job,
  Others,
} satisfies Record<string, TProperties>

/**
 * One line of the log: the same names mean the same in requests, jobs, and everywhere else. A new field is added
 * here and to docs/logging.md.
 */
export const LogRecord = Type.Object(
  { ...Always, ...Type.Partial(Type.Object({ ...Where, ...Request, ...Job, ...Others })).properties },
  { additionalProperties: false },
)
export type LogRecord = Static<typeof LogRecord>
