import { facts, type MailContent, note, paragraph, readableTime } from '../content.ts'
import type { TemplateData } from '../message.ts'

export function passwordChanged({ username, at }: TemplateData['password-changed']): MailContent {
  return {
    subject: 'Your password was changed',
    title: 'Your password was changed',
    blocks: [
      paragraph(`Hello ${username},`),
      paragraph('The password of your account was changed. Other devices have been signed out.'),
      facts(['When', readableTime(new Date(at))]),
      note(
        "If it wasn't you, ask for a new password at once; the mail with the link comes to this address. Then look through your sessions.",
      ),
    ],
  }
}
