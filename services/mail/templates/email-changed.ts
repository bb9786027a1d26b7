import { facts, type MailContent, note, paragraph, readableTime } from '../content.ts'
import type { TemplateData } from '../message.ts'

export function emailChanged({ username, new_email, at }: TemplateData['email-changed']): MailContent {
  return {
    subject: 'Your email address was changed',
    title: 'Your email address was changed',
    blocks: [
      paragraph(`Hello ${username},`),
      paragraph('Your account has another email address now. No more mail about it comes to this one.'),
      facts(['New address', shorten(new_email)], ['When', readableTime(new Date(at))]),
      note("If it wasn't you, tell the people who run this service at once: somebody knows your password."),
    ],
  }
}

/** Enough for its owner to know it by, and no more: others may read this mailbox. */
function shorten(address: string): string {
  const at = address.lastIndexOf('@')
  const [first = ''] = address.slice(0, at)
  return `${first}***${address.slice(at)}`
}
