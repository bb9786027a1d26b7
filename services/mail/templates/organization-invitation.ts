import { button, expiry, facts, type MailContent, type MailLink, note, paragraph } from '../content.ts'
import type { TemplateData } from '../message.ts'
import { plainName } from '../plain-name.ts'
import type { MailSite } from '../site.ts'

const ROLES: Readonly<Record<TemplateData['organization-invitation']['role'], string>> = {
  owner: 'Owner',
  admin: 'Admin',
  member: 'Member',
}

export function organizationInvitation(
  { name }: MailSite,
  { organization, role }: TemplateData['organization-invitation'],
  link: MailLink,
): MailContent {
  return {
    subject: `You are invited to an organization on ${name}`,
    title: 'You are invited to an organization',
    blocks: [
      paragraph(`The members of an organization on ${name} would like you to join them.`),
      facts(['Organization', plainName(organization) || 'Without a name'], ['Your role', ROLES[role]]),
      button('See the invitation', link.url),
      expiry(link),
      note("You can accept or decline on that page. The organization's name is its members' choice."),
      note('If you do not know its members, ignore this mail: nothing happens without you.'),
    ],
  }
}
