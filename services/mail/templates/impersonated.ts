import { button, facts, type MailContent, note, paragraph, readableTime } from '../content.ts'
import type { TemplateData } from '../message.ts'
import type { MailSite } from '../site.ts'

export function impersonated(
  { name, signIn, support }: MailSite,
  { at, minutes }: TemplateData['impersonated'],
): MailContent {
  return {
    subject: `The support of ${name} uses your account`,
    title: 'The support uses your account',
    blocks: [
      paragraph(
        `An administrator of ${name} acts in your place for a while, to help you or to look into a problem. All that is ` +
          'done is recorded with both names.',
      ),
      facts(['From', readableTime(new Date(at))], ['For at most', `${minutes} minutes`]),
      ...(signIn === undefined ? [] : [button('Check your account', signIn)]),
      note('Your password, address and keys are out of reach meanwhile, and your account cannot be deleted.'),
      note(
        support === undefined
          ? 'If you have not asked for help, you need not do anything.'
          : `If you have questions, write to ${support}.`,
      ),
    ],
  }
}
