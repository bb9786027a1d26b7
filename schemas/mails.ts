import { type Static, Type } from '@sinclair/typebox'
import { Page, pageParameters } from './pagination.ts'
import { Nullable, StringEnum, Timestamp, Uuid } from './primitives.ts'
import { ref } from './registry.ts'
import { KnownEmail } from './users.ts'

const TemplateName = Type.String({
  minLength: 1,
  maxLength: 100,
  pattern: '^[a-z]+(-[a-z]+)*$',
  'x-message': 'must be lower-case words with `-` between them',
  description: 'Name of the template.',
  examples: ['reset-password'],
})

const State = StringEnum(['waiting', 'retrying', 'sent', 'failed', 'expired', 'replaced'], {
  description:
    '`sent`: the mail server took it; `retrying`: it failed, and is tried again; `failed`: it was given up; `expired`: its ' +
    'link had ended before it could be sent; `replaced`: another one was sent in its place.',
  examples: ['failed'],
})

const Moment = (description: string) =>
  Nullable(Type.String({ format: 'date-time', description, examples: ['2026-01-31T08:15:30.123Z'] }))

/** A mail that was written. */
export const MailRecord = Type.Object(
  {
    id: Uuid('Identifier of the mail (UUIDv7); its Message-ID begins with it.'),
    template: Type.String({ description: 'Its template.', examples: ['reset-password'] }),
    to: Type.String({ description: 'Address of the receiver.', examples: ['ada@example.com'] }),
    state: State,
    attempts: Type.Integer({ minimum: 0, description: 'Attempts to send it so far.', examples: [1] }),
    error: Nullable(
      Type.String({
        description: 'Why the last attempt failed.',
        examples: ['550 no such mailbox'],
      }),
    ),
    written_at: Timestamp('When it was written.'),
    last_attempt_at: Moment('When it was last tried.'),
    sent_at: Moment('When the mail server took it.'),
    resent_from: Nullable(Uuid('The mail in whose place it is sent.')),
    can_resend: Type.Boolean({
      description: 'Whether it can be sent again; a link that has ended cannot.',
      examples: [true],
    }),
  },
  { $id: 'MailRecord', additionalProperties: false, description: 'A mail, and what became of it.' },
)
export type MailRecord = Static<typeof MailRecord>

/** Path parameters of one mail. */
export const MailParams = Type.Object(
  { id: Uuid('Identifier of the mail.', { 'x-normalize': 'lowercase' }) },
  { additionalProperties: false },
)

/** Query of listMails. */
export const ListMailsQuery = Type.Object(
  {
    ...pageParameters,
    to: Type.Optional({ ...KnownEmail, description: 'Only mails to this address, in any case.' }),
    user_id: Type.Optional(
      Uuid("Only mails to this user's address of today.", { 'x-normalize': 'lowercase' }),
    ),
    state: Type.Optional(State),
    template: Type.Optional(TemplateName),
  },
  { additionalProperties: false },
)
export type ListMailsQuery = Static<typeof ListMailsQuery>

export const MailPage = Page(ref(MailRecord), 'MailPage')
export type MailPage = Static<typeof MailPage>

const Subject = Type.String({ description: 'Its subject.', examples: ['Reset your password'] })

/** A kind of mail. */
export const MailTemplate = Type.Object(
  { template: TemplateName, subject: Subject },
  { $id: 'MailTemplate', additionalProperties: false, description: 'A kind of mail.' },
)
export type MailTemplate = Static<typeof MailTemplate>

export const MailTemplatePage = Page(ref(MailTemplate), 'MailTemplatePage')
export type MailTemplatePage = Static<typeof MailTemplatePage>

/** Path parameters of one template. */
export const MailTemplateParams = Type.Object({ template: TemplateName }, { additionalProperties: false })

/** A mail as it looks. */
export const MailPreview = Type.Object(
  {
    template: TemplateName,
    subject: Subject,
    text: Type.String({ description: 'The plain text.', examples: ['Reset your password\n...'] }),
    html: Type.String({ description: 'The HTML.', examples: ['<!doctype html>...'] }),
  },
  {
    $id: 'MailPreview',
    additionalProperties: false,
    description: 'What a mail looks like, with invented data.',
  },
)
export type MailPreview = Static<typeof MailPreview>
