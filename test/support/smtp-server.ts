import { once } from 'node:events'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import type { Owner } from './database.ts'

/** A mail as a server was given it. */
export interface ReceivedMail {
  readonly from: string
  readonly to: readonly string[]
  /** Header and body. */
  readonly raw: string
  readonly messageId: string
  /** Whether it came over TLS. */
  readonly secure: boolean
  readonly user: string | undefined
}

export interface TestSmtpServer {
  readonly port: number
  /** `smtp://127.0.0.1:port` */
  readonly url: string
  /** Accepted mails, in order. */
  readonly received: ReceivedMail[]
  close(): Promise<void>
}

/** How the server treats what it is given; each may throw `refusal(...)`. */
interface Behaviour {
  readonly onRecipient?: (address: string) => void
  /** Before it is accepted. */
  readonly onMail?: (mail: ReceivedMail) => Promise<void> | void
  /** After it was accepted; the client may have been told. */
  readonly onAccepted?: (mail: ReceivedMail) => void
}

/** An answer of the server's that is not yes, such as `450 4.7.1 ...`. */
export function refusal(code: number, text: string): Error {
  return Object.assign(new Error(text), { responseCode: code })
}

/** Starts a real SMTP server on loopback that ends with `t`. */
export async function startSmtpServer(
  t: Owner,
  behaviour: Behaviour = {},
  options: SMTPServerOptions = {},
): Promise<TestSmtpServer> {
  const received: ReceivedMail[] = []
  const server = new SMTPServer({
    disabledCommands: ['STARTTLS', 'AUTH'],
    disableReverseLookup: true,
    closeTimeout: 100,
    onRcptTo({ address }, _session, callback) {
      attempt(() => behaviour.onRecipient?.(address), callback)
    },
    onData(stream, session, callback) {
      attempt(async () => {
        // Rejects when the client goes away in the middle.
        const raw = Buffer.concat(await stream.toArray()).toString()
        const { mailFrom, rcptTo } = session.envelope
        const mail: ReceivedMail = {
          from: mailFrom ? mailFrom.address : '',
          to: rcptTo.map(({ address }) => address),
          raw,
          messageId: /^Message-ID: (.*)$/im.exec(raw)?.[1]?.trim() ?? '',
          secure: session.secure,
          user: session.user,
        }
        await behaviour.onMail?.(mail)
        received.push(mail)
        setImmediate(() => behaviour.onAccepted?.(mail))
      }, callback)
    },
    ...options,
  })
  // The server need not care about clients that are killed or refuse our certificate.
  server.on('error', () => undefined)
  server.listen(0, '127.0.0.1')
  await once(server.server, 'listening')
  const address = server.server.address()
  const port = address !== null && typeof address === 'object' ? address.port : 0
  let closed: Promise<void> | undefined
  const close = () => {
    closed ??= new Promise((resolve) => server.close(() => resolve()))
    return closed
  }
  t.teardown(close)
  return { port, url: `smtp://127.0.0.1:${port}`, received, close }
}

function attempt(work: () => Promise<void> | void, callback: (error?: Error | null) => void): void {
  Promise.resolve()
    .then(work)
    .then(
      () => callback(),
      (error) => callback(error),
    )
}
