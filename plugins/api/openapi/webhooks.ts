import type { EventType } from '#services/events/define-event.ts'

/** The document's `webhooks`: an organization's events as receivers get them. */
export function webhooksOf(types: readonly EventType[]): Record<string, object> {
  const ofOrganizations = types.filter(({ of }) => of === 'organization')
  return Object.fromEntries(ofOrganizations.map((type) => [type.type, { post: operationOf(type) }]))
}

function operationOf({ type, version, subject, description, data }: EventType): object {
  const text = (about: string) => ({ type: 'string', description: about })
  const properties = {
    id: text('Id of the event, the same in each attempt.'),
    type: { type: 'string', enum: [type], description: 'Kind of the event.' },
    version: { type: 'integer', enum: [version], description: 'Version of `data`.' },
    timestamp: { ...text('When it happened.'), format: 'date-time' },
    organization_id: text('The organization.'),
    subject: {
      type: 'object',
      required: ['type', 'id'],
      properties: {
        type: { type: 'string', enum: [subject], description: 'Kind of the subject.' },
        id: text('Its id.'),
      },
    },
    data,
  }
  return {
    operationId: `webhook.${type}`,
    tags: ['events'],
    security: [],
    summary: description,
    requestBody: {
      required: true,
      content: {
        'application/json': { schema: { type: 'object', required: Object.keys(properties), properties } },
      },
    },
    responses: { '2XX': { description: 'The receiver has it.' } },
  }
}
