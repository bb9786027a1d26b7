import type { MailContent, MailLink } from './content.ts'
import { renderHtml } from './html-layout.ts'
import { type LinkTemplate, type NoticeMessage, PAGES, type TemplateData } from './message.ts'
import type { MailSite } from './site.ts'
import { alreadyRegistered } from './templates/already-registered.ts'
import { choosePassword } from './templates/choose-password.ts'
import { confirmNewEmail } from './templates/confirm-new-email.ts'
import { emailChanged } from './templates/email-changed.ts'
import { fileQuarantined } from './templates/file-quarantined.ts'
import { impersonated } from './templates/impersonated.ts'
import { newSignIn } from './templates/new-sign-in.ts'
import { organizationInvitation } from './templates/organization-invitation.ts'
import { passwordChanged } from './templates/password-changed.ts'
import { resetPassword } from './templates/reset-password.ts'
import { verifyEmail } from './templates/verify-email.ts'
import { webhookDisabled } from './templates/webhook-disabled.ts'
import { webhookFailing } from './templates/webhook-failing.ts'
import { renderText } from './text-layout.ts'

const links: Record<LinkTemplate, (site: MailSite, link: MailLink) => MailContent> = {
  'verify-email': verifyEmail,
  'reset-password': resetPassword,
  'confirm-new-email': confirmNewEmail,
  'choose-password': choosePassword,
}

/** The token of a link, and where its page is. */
interface LinkTarget {
  readonly token: string
  readonly expiresAt: Date
  /** URL that the pages of links are below. */
  readonly linkBase: string
}

/** The parts of a mail that people see. */
export interface RenderedMail {
  readonly subject: string
  readonly text: string
  readonly html: string
}

/** Renders a mail without a link. */
export function renderNotice(site: MailSite, message: NoticeMessage): RenderedMail {
  return render(site, noticeContent(site, message))
}

function noticeContent(site: MailSite, message: NoticeMessage): MailContent {
  switch (message.template) {
    case 'already-registered':
      return alreadyRegistered(site)
    case 'password-changed':
      return passwordChanged(site, message.data)
    case 'email-changed':
      return emailChanged(site, message.data)
    case 'impersonated':
      return impersonated(site, message.data)
    case 'new-sign-in':
      return newSignIn(site, message.data)
    case 'webhook-failing':
      return webhookFailing(site, message.data)
    case 'webhook-disabled':
      return webhookDisabled(site, message.data)
    case 'file-quarantined':
      return fileQuarantined(site, message.data)
  }
}

/**
 * Renders a mail with a link.
 *
 * The token stands in the link's fragment, which browsers keep to themselves: it gets into no log and no Referer
 */
export function renderLink(site: MailSite, template: LinkTemplate, target: LinkTarget): RenderedMail {
  return render(site, links[template](site, linkTo(template, target)))
}

/** Renders a mail that invites into an organization. */
export function renderInvitation(
  site: MailSite,
  data: TemplateData['organization-invitation'],
  target: LinkTarget,
): RenderedMail {
  return render(site, organizationInvitation(site, data, linkTo('organization-invitation', target)))
}

function linkTo(template: keyof typeof PAGES, { token, expiresAt, linkBase }: LinkTarget): MailLink {
  return { url: `${linkBase}/${PAGES[template]}#token=${token}`, expiresAt }
}

function render(site: MailSite, content: MailContent): RenderedMail {
  return { subject: content.subject, text: renderText(site, content), html: renderHtml(site, content) }
}
