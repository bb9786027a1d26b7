import { type ComponentChildren, h } from 'preact'
import type { MailRecord } from '#schemas/mails.ts'
import { call } from '../app/api.ts'
import type { PageProps } from '../app/route.ts'
import { go, linkTo } from '../app/route.ts'
import { useLoad } from '../ui/load.ts'
import { Act, Facts, Heading, Id, Section, say } from '../ui/pieces.ts'
import { askWithReason } from '../ui/questions.ts'
import { Failure, Loading } from '../ui/states.ts'
import { Time } from '../ui/time.ts'
import { MailState } from './mails.ts'

/** One mail: what became of it, and why. */
export function Mail({ id }: PageProps): ComponentChildren {
  const path = `operations/mails/${id}`
  const { value, error, reload } = useLoad(path, (signal) => call<MailRecord>(path, { signal }))
  return h(
    'div',
    null,
    h(
      Heading,
      { title: value ? `${value.template} to ${value.to}` : 'Mail' },
      value?.can_resend && h(Act, { label: 'Send again', run: () => resend(value) }),
    ),
    error !== undefined && h(Failure, { error, retry: reload }),
    error === undefined && value === undefined && h(Loading, null),
    value && h(Details, { mail: value }),
  )
}

/** Advice about a mail that did not arrive. */
const ADVICE: Partial<Record<MailRecord['state'], string>> = {
  waiting:
    'It is due, and sent as soon as a worker comes to it. If it stays so, look at the queue send_mail.',
  retrying: 'The last attempt failed; it is tried again by itself.',
  sent: 'The mail server has accepted it. If it did not arrive, look at the spam folder, and at the log of the server.',
  failed: 'It was given up. Do something about the error, then send it again.',
  replaced: 'Another one was sent in its place.',
  expired: 'The link in it had ended before it could be sent. Ask for a new one on the page of the user.',
}

function Details({ mail }: { mail: MailRecord }): ComponentChildren {
  const { id, state, attempts, error, resent_from } = mail
  return h(
    'div',
    { class: 'stack' },
    h('p', null, h(MailState, { state }), ' ', ADVICE[state]),
    h(Facts, {
      facts: [
        ['To', mail.to],
        ['User', h('a', { href: linkTo(['users'], { q: mail.to }) }, 'Look for the user')],
        ['Mail', h('a', { href: linkTo(['mail-templates', mail.template]) }, mail.template)],
        ['Attempts', attempts],
        ['Written', h(Time, { at: mail.written_at })],
        ['Last attempt', h(Time, { at: mail.last_attempt_at })],
        ['Sent', h(Time, { at: mail.sent_at })],
        [
          'Sent again instead of',
          resent_from && h('a', { href: linkTo(['mails', resent_from]) }, resent_from),
        ],
        ['Id', h(Id, { id })],
      ],
    }),
    error && h(Section, { title: 'Error' }, h('pre', { class: 'bad' }, error)),
  )
}

async function resend({ id, to, template }: MailRecord): Promise<void> {
  await askWithReason({
    title: 'Send again',
    text: `One mail (${template}) goes to ${to}.`,
    confirm: 'Send again',
    run: async ({ reason }) => {
      const headers = { 'idempotency-key': crypto.randomUUID() }
      const path = `operations/mails/${id}/resend`
      const mail = await call<MailRecord>(path, { method: 'POST', body: { reason }, headers })
      say('It is on its way.')
      go(linkTo(['mails', mail.id]))
    },
  })
}
