import { button, facts, type MailContent, note, paragraph, readableTime } from '../content.ts'
import type { TemplateData } from '../message.ts'
import type { MailSite } from '../site.ts'

const REASONS: Readonly<Record<TemplateData['webhook-disabled']['reason'], string>> = {
  gone: 'Its receiver answered that it is gone (410)',
  failing: 'Its receiver has failed for days',
}

export function webhookDisabled(
  { name, signIn }: MailSite,
  { webhook, since, reason }: TemplateData['webhook-disabled'],
): MailContent {
  return {
    subject: `A webhook of your organization on ${name} was disabled`,
    title: 'A webhook was disabled',
    blocks: [
      paragraph(`A webhook of your organization on ${name} was disabled, and receives no messages.`),
      facts(['Webhook', webhook], ['Why', REASONS[reason]], ['Failing since', readableTime(new Date(since))]),
      ...(signIn === undefined ? [] : [button('Sign in', signIn)]),
      note('Once the receiver works, enable the webhook, and recover the messages that it missed.'),
    ],
  }
}
