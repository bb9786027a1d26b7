import { facts, type MailContent, note, paragraph, readableTime } from '../content.ts'
import type { TemplateData } from '../message.ts'

export function newSignIn({ username, user_agent, ip, at }: TemplateData['new-sign-in']): MailContent {
  return {
    subject: 'New sign-in to your account',
    title: 'New sign-in to your account',
    blocks: [
      paragraph(`Hello ${username},`),
      paragraph('Somebody signed in to your account with a device that was not used before.'),
      facts(['Device', user_agent ?? 'unknown'], ['Address', ip], ['When', readableTime(new Date(at))]),
      note(
        "If it was you, there is nothing to do. If it wasn't, change your password at once: that signs out every other device.",
      ),
    ],
  }
}
