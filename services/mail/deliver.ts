import type { KeyObject } from 'node:crypto'
import type { Context } from '#lib/context.ts'
import { deriveToken } from '#lib/secrets/secrets.ts'
import { invitationToken } from '#services/invitations/token.ts'
import type { MailMessage } from './message.ts'
import { type RenderedMail, renderInvitation, renderLink, renderNotice } from './render.ts'
import type { MailSite } from './site.ts'
import type { MailTransport } from './transport.ts'

/** How mail leaves, and what its links are made of. */
export interface MailSettings {
  /** Undefined where none is configured: then mail waits in the queue. */
  readonly transport: MailTransport | undefined
  readonly site: MailSite
  /** URL that the pages of links are below. */
  readonly linkBase: string
  /** `deriveKey(secret, 'one-time tokens')`. */
  readonly tokenKey: KeyObject
}

/** The parts that sending needs. */
export interface MailContext extends Context {
  readonly mail: MailSettings
}

/** A mail in the queue. */
export interface Letter {
  /** Id of the mail itself: it stays the same when the job is retried or taken out of the dead letters. */
  readonly id: string
  /** RFC 3339. */
  readonly written_at: string
  readonly message: MailMessage
}

/**
 * Renders a mail and hands it over. The same letter always makes the same mail, down to its `Message-ID`, so
 * that one sent twice is seen once.
 *
 * @returns `expired` when its link had ended, and it was not sent
 * @throws PermanentFailure when the mail is refused for good; other errors when it may be accepted later
 */
export async function deliver(
  ctx: Pick<MailContext, 'log' | 'now' | 'mail'>,
  { id, written_at, message }: Letter,
): Promise<'sent' | 'expired'> {
  const { transport } = ctx.mail
  if (transport === undefined) throw new Error('there is nothing to send mail by')
  if ('token' in message && new Date(message.token.expires_at) <= ctx.now()) {
    ctx.log.warn({ mail_id: id, template: message.template }, 'mail not sent: its link has expired')
    return 'expired'
  }
  await transport.send({
    id,
    date: new Date(written_at),
    to: message.to,
    ...renderMessage(ctx.mail, message),
  })
  ctx.log.info({ mail_id: id, template: message.template }, 'mail sent')
  return 'sent'
}

/** Renders a mail; its link has the token that its message refers to. */
export function renderMessage(
  { site, linkBase, tokenKey }: MailSettings,
  message: MailMessage,
): RenderedMail {
  if (!('token' in message)) return renderNotice(site, message)
  const expiresAt = new Date(message.token.expires_at)
  if (message.template === 'organization-invitation') {
    const token = invitationToken(tokenKey, message.token)
    return renderInvitation(site, message.data, { token, expiresAt, linkBase })
  }
  return renderLink(site, message.template, {
    token: deriveToken(tokenKey, message.token.id),
    expiresAt,
    linkBase,
  })
}
