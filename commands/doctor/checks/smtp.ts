import { createTransport } from 'nodemailer'
import { smtpOptions } from '#services/mail/smtp.ts'
import { type Check, off, problem, warning, wordsOf } from '../check.ts'

/** Milliseconds. */
const TIMEOUT_MS = 10_000

const check: Check = {
  name: 'mail',
  reads: ['email.smtp_url', 'email.require_tls'],
  async run({ config: { email }, strict }) {
    const { smtp_url, require_tls } = email
    if (smtp_url === undefined) {
      if (!strict) {
        return [off('Mail is kept at /dev/mail.', 'email.smtp_url is not set.', 'Set APP_EMAIL__SMTP_URL.')]
      }
      return [
        warning(
          'There is no mail server.',
          'Mail waits in the queue for two weeks: nobody can confirm an address or reset a password.',
          'Set APP_EMAIL__SMTP_URL, or APP_EMAIL__SMTP_URL_FILE.',
        ),
      ]
    }
    const transport = createTransport({
      ...smtpOptions(smtp_url, require_tls),
      connectionTimeout: TIMEOUT_MS,
      greetingTimeout: TIMEOUT_MS,
    })
    try {
      await transport.verify()
      return []
    } catch (error) {
      return [
        problem(
          `The mail server cannot be used: ${wordsOf(error)}`,
          'Mail waits in the queue, is tried again for about a day, and is then given up.',
          require_tls && /STARTTLS/i.test(wordsOf(error))
            ? 'Use smtps:// or a server that offers STARTTLS: email.require_tls is on.'
            : 'Start it, or correct address, user and password in APP_EMAIL__SMTP_URL.',
        ),
      ]
    } finally {
      transport.close()
    }
  },
}
export default check
