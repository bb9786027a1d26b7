import { type Static, Type } from '@sinclair/typebox'
import { Page, pageParameters } from './pagination.ts'
import { Nullable, StringEnum } from './primitives.ts'
import { ref } from './registry.ts'

/** A setting as the process that answers has it. */
export const Setting = Type.Object(
  {
    key: Type.String({ description: 'Its path in the configuration.', examples: ['server.port'] }),
    value: Nullable(
      Type.String({
        description: 'Its value as JSON, with units; null for a secret and for what is not set.',
        examples: ['8080'],
      }),
    ),
    is_secret: Type.Boolean({ description: 'Whether the value is never shown.', examples: [false] }),
    is_set: Type.Boolean({ description: 'Whether it has a value.', examples: [true] }),
    origin: StringEnum(['default', 'file', 'environment'], {
      description:
        '`default`: what the service brings along; `file`: a file of the configuration; `environment`: a variable, or the ' +
        'file that one names.',
      examples: ['default'],
    }),
    source: Nullable(
      Type.String({
        description: 'The file or the variable; null where nothing sets it.',
        examples: ['default.toml'],
      }),
    ),
    description: Type.String({ description: 'What it does.', examples: ['Port to listen on.'] }),
  },
  { $id: 'Setting', additionalProperties: false, description: 'A setting, and where its value came from.' },
)
export type Setting = Static<typeof Setting>

/** Query of listSettings. */
export const ListSettingsQuery = Type.Object(
  {
    ...pageParameters,
    q: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 100,
        description: 'Only settings whose key or description has this in it, in any case.',
        examples: ['server'],
      }),
    ),
  },
  { additionalProperties: false },
)
export type ListSettingsQuery = Static<typeof ListSettingsQuery>

export const SettingPage = Page(ref(Setting), 'SettingPage')
export type SettingPage = Static<typeof SettingPage>
