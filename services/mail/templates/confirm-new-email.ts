import { button, expiry, type MailContent, type MailLink, note, paragraph } from '../content.ts'
import type { TemplateData } from '../message.ts'

export function confirmNewEmail(
  { username }: TemplateData['confirm-new-email'],
  link: MailLink,
): MailContent {
  return {
    subject: 'Confirm your new email address',
    title: 'Confirm your new email address',
    blocks: [
      paragraph(`Hello ${username},`),
      paragraph('Please confirm that this is the address that your account is to have from now on.'),
      button('Use this address', link),
      expiry(link),
      note("If you didn't ask for it, ignore this mail: the account keeps the address that it has."),
    ],
  }
}
