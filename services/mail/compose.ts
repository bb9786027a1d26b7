import type { SendMailOptions } from 'nodemailer'
import { PermanentFailure } from '#lib/jobs/jobs.ts'
import { parseSender } from './sender.ts'
import type { Mail } from './transport.ts'

/** One address without what is special in a header (RFC 5322), which might make it several, or something else. */
const PLAIN_ADDRESS = /^[^\s\p{C}<>()[\]:;,"\\@]+@[^\s\p{C}<>()[\]:;,"\\@]+$/u

/** Who sends all mail. */
export interface MailSender {
  /** An address, or `Name <address>`. */
  readonly from: string
  /** The sender's name where `from` has none. */
  readonly productName: string
}

/**
 * Returns the message as nodemailer takes it: the same mail is the same message, byte for byte.
 *
 * @throws PermanentFailure for an address that cannot be written to
 */
export function composeMessage(mail: Mail, { from, productName }: MailSender): SendMailOptions {
  if (!PLAIN_ADDRESS.test(mail.to)) throw new PermanentFailure('the address cannot be written to')
  const { name, address } = parseSender(from)
  const domain = address.slice(address.lastIndexOf('@') + 1)
  return {
    messageId: `<${mail.id}@${domain}>`,
    date: mail.date,
    from: { name: name === '' ? productName : name, address },
    to: { name: '', address: mail.to },
    envelope: { from: address, to: [mail.to] },
    subject: mail.subject,
    text: mail.text,
    html: mail.html,
    // Keeps holiday answers away (RFC 3834).
    headers: { 'Auto-Submitted': 'auto-generated' },
    baseBoundary: mail.id,
    disableFileAccess: true,
    disableUrlAccess: true,
  }
}
