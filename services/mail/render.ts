import type { MailContent, MailLink } from './content.ts'
import { renderHtml } from './html-layout.ts'
import { type LinkTemplate, type NoticeMessage, PAGES, type TemplateData } from './message.ts'
import { alreadyRegistered } from './templates/already-registered.ts'
import { choosePassword } from './templates/choose-password.ts'
import { confirmNewEmail } from './templates/confirm-new-email.ts'
import { emailChanged } from './templates/email-changed.ts'
import { newSignIn } from './templates/new-sign-in.ts'
import { passwordChanged } from './templates/password-changed.ts'
import { resetPassword } from './templates/reset-password.ts'
import { verifyEmail } from './templates/verify-email.ts'
import { renderText } from './text-layout.ts'

type Notices = {
  [Name in NoticeMessage['template']]: (data: TemplateData[Name]) => MailContent
}

type Links = {
  [Name in LinkTemplate]: (data: TemplateData[Name], link: MailLink) => MailContent
}

const notices: Notices = {
  'already-registered': alreadyRegistered,
  'password-changed': passwordChanged,
  'email-changed': emailChanged,
  'new-sign-in': newSignIn,
}

const links: Links = {
  'verify-email': verifyEmail,
  'reset-password': resetPassword,
  'confirm-new-email': confirmNewEmail,
  'choose-password': choosePassword,
}

/** The parts of a mail that people see. */
export interface RenderedMail {
  readonly subject: string
  readonly text: string
  readonly html: string
}

/** Renders a mail without a link. */
export function renderNotice<Name extends NoticeMessage['template']>(
  template: Name,
  data: TemplateData[Name],
): RenderedMail {
  return render(notices[template](data))
}

/**
 * Renders a mail with a link.
 *
 * @param token stands in the link's fragment, which browsers keep to themselves: it gets into no log and no Referer
 */
export function renderLink<Name extends LinkTemplate>(
  template: Name,
  data: TemplateData[Name],
  { token, expiresAt, linkBase }: { token: string; expiresAt: Date; linkBase: string },
): RenderedMail {
  const url = `${linkBase}/${PAGES[template]}#token=${token}`
  return render(links[template](data, { url, expiresAt }))
}

function render(content: MailContent): RenderedMail {
  return { subject: content.subject, text: renderText(content), html: renderHtml(content) }
}
