import { facts, type MailContent, note, paragraph, readableTime } from '../content.ts'
import type { TemplateData } from '../message.ts'
import type { MailSite } from '../site.ts'

/** To the old address. The new one is not shown: it is text that the account's user chose. */
export function emailChanged({ name }: MailSite, { at }: TemplateData['email-changed']): MailContent {
  return {
    subject: `The email address of your ${name} account was changed`,
    title: 'Your email address was changed',
    blocks: [
      paragraph(`Your ${name} account has a new email address. This address will get no more mail about it.`),
      facts(['When', readableTime(new Date(at))]),
      note('If this was not you, contact support at once: somebody else may know your password.'),
    ],
  }
}
