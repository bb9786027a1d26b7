import { defineError } from '#lib/errors.ts'

export const MailNotFound = defineError({
  code: 'mail_not_found',
  status: 404,
  title: 'Mail not found',
  detail: 'There is no mail with this id; mails are kept for 30 days.',
})

export const MailTemplateNotFound = defineError({
  code: 'mail_template_not_found',
  status: 404,
  title: 'Mail template not found',
  detail: 'There is no template with this name.',
})

export const MailNotResendable = defineError({
  code: 'mail_not_resendable',
  status: 409,
  title: 'Mail not resendable',
  detail: 'Its link has ended, or another mail was sent in its place: a new mail is needed.',
})
