import { createTransport, type Transporter } from 'nodemailer'
import { PermanentFailure } from '#lib/jobs/jobs.ts'
import { composeMessage, type MailSender } from './compose.ts'
import type { Mail, MailTransport } from './transport.ts'

/** How to reach the server. */
export interface SmtpOptions {
  /** `smtps://` is TLS from the start, `smtp://` STARTTLS where it is offered. */
  readonly url: string
  /** Refuse a server that doesn't offer TLS. */
  readonly requireTls: boolean
  readonly sender: MailSender
}

/** Milliseconds. Together less than the time that the job has, so that a slow server is told from a lost job. */
const TIMEOUTS = {
  dnsTimeout: 10_000,
  connectionTimeout: 10_000,
  greetingTimeout: 10_000,
  socketTimeout: 30_000,
  socketCloseTimeout: 1000,
}

/** Replies about who we are and how we come, which somebody here can put right; the mail is not refused. */
const OUR_FAULT = new Set([530, 534, 535, 538])

/** The part of nodemailer's errors that we read. */
interface SmtpError extends Error {
  code?: string
  /** Code of the system call underneath. */
  originalCode?: string
  responseCode?: number
  response?: string
  permanent?: boolean
}

/** Mail by SMTP, a connection for each: there is not much of it, and nothing goes stale. */
export class SmtpTransport implements MailTransport {
  readonly #transporter: Transporter
  readonly #sender: MailSender

  constructor({ url, requireTls, sender }: SmtpOptions) {
    this.#sender = sender
    this.#transporter = createTransport({ ...TIMEOUTS, ...smtpOptions(url, requireTls) })
  }

  async send(mail: Mail): Promise<void> {
    try {
      await this.#transporter.sendMail(composeMessage(mail, this.#sender))
    } catch (error) {
      throw explain(error)
    }
  }

  close(): void {
    this.#transporter.close()
  }
}

/** How to reach the server of `email.smtp_url`; nodemailer is not given the URL, whose query it would obey. */
export function smtpOptions(url: string, requireTls: boolean) {
  const { protocol, hostname, port, username, password } = new URL(url)
  return {
    host: decodeURIComponent(hostname).replace(/^\[(.*)\]$/, '$1'),
    secure: protocol === 'smtps:',
    requireTLS: requireTls,
    // Without one, nodemailer takes 465 or 587.
    port: port === '' ? undefined : Number(port),
    ...(username === ''
      ? {}
      : { auth: { user: decodeURIComponent(username), pass: decodeURIComponent(password) } }),
  }
}

/** Returns an error in our own words: the server's often repeat the recipient's address. */
function explain(error: unknown): unknown {
  if (!isSmtpError(error)) return error
  const { code, responseCode, response = '', permanent } = error
  if (responseCode === undefined) {
    return new Error(`the mail server could not be used: ${error.originalCode ?? code}`)
  }
  const status = [responseCode, /\b[245]\.\d{1,3}\.\d{1,3}\b/.exec(response)?.[0]].join(' ').trimEnd()
  const isRefused = (code === 'EENVELOPE' || code === 'EMESSAGE') && permanent === true
  if (isRefused && !OUR_FAULT.has(responseCode)) {
    return new PermanentFailure(`the mail server refused the mail for good: ${status}`)
  }
  return new Error(`the mail server did not take the mail: ${code} ${status}`)
}

function isSmtpError(error: unknown): error is SmtpError & { code: string } {
  return error instanceof Error && !(error instanceof PermanentFailure) && 'code' in error
}
