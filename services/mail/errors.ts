import { defineError } from '#lib/errors.ts'

export const MailNotFound = defineError({
  code: 'mail_not_found',
  status: 404,
  title: 'Mail not found',
  detail: 'There is no such mail in the mailbox.',
})
