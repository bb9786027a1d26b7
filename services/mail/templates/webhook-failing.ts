import { button, facts, type MailContent, note, paragraph, readableTime } from '../content.ts'
import type { TemplateData } from '../message.ts'
import type { MailSite } from '../site.ts'

export function webhookFailing(
  { name, signIn }: MailSite,
  { webhook, since }: TemplateData['webhook-failing'],
): MailContent {
  return {
    subject: `A webhook of your organization on ${name} is failing`,
    title: 'A webhook is failing',
    blocks: [
      paragraph(`The receiver of a webhook of your organization on ${name} has taken no message for days.`),
      facts(['Webhook', webhook], ['Failing since', readableTime(new Date(since))]),
      ...(signIn === undefined ? [] : [button('Sign in', signIn)]),
      note(
        'If it goes on failing, the webhook will be disabled. Its deliveries say what the receiver answered.',
      ),
    ],
  }
}
