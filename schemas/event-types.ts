import { type Static, Type } from '@sinclair/typebox'
import { StringEnum } from './primitives.ts'
import { ref } from './registry.ts'

/** A kind of event. */
export const EventTypeDescription = Type.Object(
  {
    type: Type.String({ description: 'Name of the kind.', examples: ['projects.created'] }),
    version: Type.Integer({
      description: 'Version of its `data`; it grows when that changes.',
      examples: [1],
    }),
    of: StringEnum(['organization', 'platform'], {
      description: "Whose events these are: an organization's, or the platform's, such as those of accounts.",
      examples: ['organization'],
    }),
    subject: Type.String({ description: 'What the event happens to.', examples: ['project'] }),
    description: Type.String({ description: 'What has happened.', examples: ['A project was created.'] }),
    data: Type.Unsafe<object>({
      type: 'object',
      additionalProperties: true,
      description: 'JSON schema of `data`.',
    }),
  },
  { $id: 'EventType', additionalProperties: false, description: 'A kind of event.' },
)

/** Answer of listEventTypes. */
export const EventTypeList = Type.Object(
  { data: Type.Array(ref(EventTypeDescription), { description: 'Every kind of event, by name.' }) },
  { $id: 'EventTypeList', additionalProperties: false, description: 'Every kind of event.' },
)
export type EventTypeList = Static<typeof EventTypeList>
