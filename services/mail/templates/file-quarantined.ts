import { button, facts, type MailContent, note, paragraph, readableTime } from '../content.ts'
import type { TemplateData } from '../message.ts'
import type { MailSite } from '../site.ts'

const REASONS: Readonly<Record<TemplateData['file-quarantined']['reason'], string>> = {
  infected: 'The malware scanner found something in it',
  held: 'The malware scanner could not look at it',
}

export function fileQuarantined(
  { name, signIn }: MailSite,
  { file, at, reason, shared }: TemplateData['file-quarantined'],
): MailContent {
  const whose = shared ? 'A file of your organization' : 'One of your files'
  return {
    subject: `${whose} on ${name} is in quarantine`,
    title: 'A file is in quarantine',
    blocks: [
      paragraph(`${whose} on ${name} is in quarantine: nobody can read or share it.`),
      facts(['File', file], ['Why', REASONS[reason]], ['When', readableTime(new Date(at))]),
      ...(signIn === undefined ? [] : [button('Sign in', signIn)]),
      note(
        'Delete the file, or send another content. If you know that it is harmless, ask us to release it.',
      ),
    ],
  }
}
