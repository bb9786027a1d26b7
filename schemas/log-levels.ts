import { type Static, Type } from '@sinclair/typebox'
import { Reason } from './operations.ts'
import { StringEnum } from './primitives.ts'

/** Parts of the service whose lines have a `module`, and may have a level of their own. */
export const LOG_MODULES = ['database', 'identity', 'jobs', 'mail', 'realtime'] as const
export type LogModule = (typeof LOG_MODULES)[number]

/** The levels that may be set while the service runs; less than errors is not for a moment's look. */
const LEVELS = ['trace', 'debug', 'info', 'warn', 'error'] as const

const Level = (description: string) => StringEnum(LEVELS, { description, examples: ['info'] })

const levels = {
  level: Level('Least severe level that is written.'),
  modules: Type.Optional(
    Type.Object(
      {
        database: Type.Optional(Level('Level of the database; at `trace` each statement has a line.')),
        identity: Type.Optional(Level('Level of the identity cache.')),
        jobs: Type.Optional(Level('Level of jobs and their queue.')),
        mail: Type.Optional(Level('Level of mail and its transport.')),
        realtime: Type.Optional(Level('Level of what is told live.')),
      },
      {
        additionalProperties: false,
        description: 'Levels of single modules; those that are left out have the one above.',
      },
    ),
  ),
}

/** The levels of the log. */
export const LogLevels = Type.Object(levels, {
  $id: 'LogLevels',
  additionalProperties: false,
  description: 'What is written to the log.',
})
export type LogLevels = Static<typeof LogLevels>

/** Body of changeLogLevels. */
export const ChangeLogLevels = Type.Object(
  { ...levels, reason: Reason },
  {
    $id: 'ChangeLogLevels',
    additionalProperties: false,
    description: 'What is to be written to the log, and why.',
  },
)
export type ChangeLogLevels = Static<typeof ChangeLogLevels>
