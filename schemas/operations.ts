import { Type } from '@sinclair/typebox'

/** Why an admin does something; the audit entry has it. */
export const Reason = Type.String({
  'x-format': 'one-line',
  'x-sensitivity': 'personal',
  minLength: 1,
  maxLength: 500,
  description: 'Why it is done. It stands in the audit log, and stays there: write no personal data.',
  examples: ['Ticket 4711'],
})

/** Body of what an admin does when nothing else has to be said. */
export const Justification = Type.Object(
  { reason: Reason },
  { $id: 'Justification', additionalProperties: false, description: 'Why an admin does something.' },
)
