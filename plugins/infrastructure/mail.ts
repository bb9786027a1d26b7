import { fileURLToPath } from 'node:url'
import fp from 'fastify-plugin'
import { canonicalMailbox } from '#config/email-address.ts'
import { publicUrl } from '#config/public-url.ts'
import { type Config, LENIENT_ENVIRONMENTS } from '#config/schema/schema.ts'
import { deriveKey } from '#lib/secrets/secrets.ts'
import type { Tracing } from '#lib/tracing/tracing.ts'
import type { MailContext, MailSettings } from '#services/mail/deliver.ts'
import type { Mailbox } from '#services/mail/mailbox.ts'
import type { MailSite } from '#services/mail/site.ts'
import type { SmtpTransport } from '#services/mail/smtp.ts'
import type { MailTransport } from '#services/mail/transport.ts'

declare module '#plugins/infrastructure/context.ts' {
  interface AppContext extends MailContext {}
}

declare module 'fastify' {
  interface FastifyInstance {
    /** How the worker sends mail. */
    mail: MailSettings
    /** Where mail is kept in development and tests; undefined where it is sent. */
    mailbox: Mailbox | undefined
  }
}

const MAILBOXES = fileURLToPath(new URL('../../.data/mail/', import.meta.url))

/** The way that mail leaves: SMTP, or the mailbox of development and tests; without one elsewhere, mail waits. */
export default fp(
  async (app) => {
    const { database, email, environment, jwt, product, role } = app.config
    const { smtp_url, require_tls } = email
    const sender = { from: canonicalMailbox(email.from), productName: product.name }
    const isLenient = LENIENT_ENVIRONMENTS.includes(environment)
    const mailbox =
      smtp_url === undefined && isLenient
        ? await openMailbox({ directory: MAILBOXES + databaseName(database.url), sender })
        : undefined
    const smtp =
      smtp_url === undefined ? undefined : await openSmtp({ url: smtp_url, requireTls: require_tls, sender })
    const transport = traced(smtp ?? mailbox, app.tracing)
    if (transport === undefined && role !== 'web') {
      app
        .moduleLog('mail')
        .warn('email.smtp_url is not set: mail waits in the queue for a worker that has it')
    }

    app.decorate('mailbox', mailbox)
    const mail: MailSettings = {
      transport,
      site: mailSite(app.config),
      linkBase: email.link_base ?? ownPages(app.config),
      tokenKey: deriveKey(jwt.secret, 'one-time tokens'),
    }
    app.decorate('mail', mail)
    app.addContext({ mail })
    app.addHook('onClose', async () => transport?.close())
  },
  { name: 'mail', dependencies: ['context', 'log-levels'] },
)

function ownPages({ server }: Config): string {
  return `${publicUrl(server)}/account`
}

function mailSite(config: Config): MailSite {
  const { email, product } = config
  // Pages elsewhere (`email.link_base`) need not have these.
  const pages = email.pages && email.link_base === undefined ? ownPages(config) : undefined
  return {
    name: product.name,
    signIn: product.url,
    support: product.support,
    forgot: pages && `${pages}/forgot-password`,
    resend: pages && `${pages}/resend-verification`,
  }
}

// Both load an SMTP client, which takes 90 ms and 5 MB, where it is used.

async function openSmtp(options: ConstructorParameters<typeof SmtpTransport>[0]): Promise<SmtpTransport> {
  const { SmtpTransport } = await import('#services/mail/smtp.ts')
  return new SmtpTransport(options)
}

async function openMailbox(options: ConstructorParameters<typeof Mailbox>[0]): Promise<Mailbox> {
  const { Mailbox } = await import('#services/mail/mailbox.ts')
  return new Mailbox(options)
}

function traced(
  transport: MailTransport | undefined,
  tracing: Tracing | undefined,
): MailTransport | undefined {
  if (!transport || !tracing) return transport
  return {
    send: (mail) => tracing.trace('send mail', 'client', {}, () => transport.send(mail)),
    close: () => transport.close(),
  }
}

/** All instances on one database share a mailbox, and those on another have theirs. */
function databaseName(url: string | undefined): string {
  return new URL(String(url)).pathname.replace(/[^\w-]/g, '')
}
