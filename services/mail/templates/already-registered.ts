import { type MailContent, note, paragraph } from '../content.ts'
import type { TemplateData } from '../message.ts'

export function alreadyRegistered({ username }: TemplateData['already-registered']): MailContent {
  return {
    subject: 'You already have an account',
    title: 'You already have an account',
    blocks: [
      paragraph(`Hello ${username},`),
      paragraph(
        'Somebody tried to create an account with this email address, which yours has already. Nothing was changed.',
      ),
      paragraph('If it was you, sign in as usual, or ask for a new password if you have forgotten it.'),
      note("If it wasn't you, there is nothing to do."),
    ],
  }
}
