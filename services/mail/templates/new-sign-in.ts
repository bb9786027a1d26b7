import { button, facts, type MailContent, note, paragraph, readableTime, step } from '../content.ts'
import { describeDevice } from '../device.ts'
import type { TemplateData } from '../message.ts'
import type { MailSite } from '../site.ts'

export function newSignIn(
  { name, signIn, forgot }: MailSite,
  { user_agent, ip, at }: TemplateData['new-sign-in'],
): MailContent {
  return {
    subject: `New sign-in to your ${name} account`,
    title: 'New sign-in to your account',
    blocks: [
      paragraph(`Somebody signed in to your ${name} account from a device that had not been used before.`),
      facts(['Device', describeDevice(user_agent)], ['IP address', ip], ['When', readableTime(new Date(at))]),
      ...(signIn === undefined ? [] : [button('Check your account', signIn)]),
      note(
        'If this was you, there is nothing to do. If it was not, change your password at once: that signs out every other device.',
      ),
      ...step('This was not you?', 'Choose a new password', forgot),
    ],
  }
}
