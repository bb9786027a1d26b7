import type { SendMailOptions } from 'nodemailer'
import { PermanentFailure } from '../jobs/jobs.ts'
import { parseSender } from './sender.ts'
import type { Mail } from './transport.ts'

/** One address without what is special in a header (RFC 5322), which might make it several, or something else. */
const PLAIN_ADDRESS = /^[^\s\p{C}<>()[\]:;,"\\@]+@[^\s\p{C}<>()[\]:;,"\\@]+$/u

/**
 * Gives the message as nodemailer takes it: the same mail is the same message, byte for byte.
 *
 * @param from an address, or `Name <address>`
 * @throws PermanentFailure for an address that cannot be written to
 */
export function composeMessage(mail: Mail, from: string): SendMailOptions {
  if (!PLAIN_ADDRESS.test(mail.to)) throw new PermanentFailure('the address is none that can be written to')
  const sender = parseSender(from)
  const domain = sender.address.slice(sender.address.lastIndexOf('@') + 1)
  return {
    messageId: `<${mail.id}@${domain}>`,
    date: mail.date,
    from: sender,
    to: { name: '', address: mail.to },
    envelope: { from: sender.address, to: [mail.to] },
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
