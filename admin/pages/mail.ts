import { type ComponentChildren, h } from 'preact'
import { useRef } from 'preact/hooks'
import type { AdministeredUser } from '#schemas/administered-users.ts'
import type { MailRecord } from '#schemas/mails.ts'
import { call, type Page } from '../app/api.ts'
import type { PageProps } from '../app/route.ts'
import { go, linkTo } from '../app/route.ts'
import { useLoad } from '../ui/load.ts'
import { Paused } from '../ui/paused.ts'
import { Act, Facts, Heading, Id, Section, say } from '../ui/pieces.ts'
import { askWithReason } from '../ui/questions.ts'
import { Failure, Loading } from '../ui/states.ts'
import { Time } from '../ui/time.ts'
import { MailState } from './mails.ts'

/** States that a worker is about to change, and how often somebody who looks at the mail is told. */
const PENDING: readonly MailRecord['state'][] = ['waiting', 'retrying']
const EVERY_MS = 2000

/** One mail: what became of it, and why. */
export function Mail({ id }: PageProps): ComponentChildren {
  const path = `operations/mails/${id}`
  const isSettled = useRef(false)
  const load = (signal: AbortSignal) => call<MailRecord>(path, { signal })
  const { value, error, reload } = useLoad(path, load, EVERY_MS, () => isSettled.current)
  isSettled.current = value !== undefined && !PENDING.includes(value.state)
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
  failed: 'It was given up. Send it again when its cause is gone.',
  replaced: 'Another one was sent in its place.',
  expired: 'The link in it had ended before it could be sent. Ask for a new one on the page of the user.',
}

/** Returns an error's meaning for those who are not postmasters, and where they can do something. */
function causeOf(error: string): ComponentChildren {
  if (/\b(?:ECONN|ENOTFOUND|EAI_|ETIMEDOUT|EHOST|ENET|ESOCKET)/.test(error))
    return [
      'No mail server answers there. Look whether it runs, and at ',
      h('a', { key: 'settings', href: linkTo(['settings'], { q: 'email' }) }, 'the settings of mail'),
      '.',
    ]
  const [, code = ''] = /\b([45]\d\d)\b/.exec(error) ?? []
  if (code === '552' || code === '452') return 'The mailbox has no room. Its owner has to make some.'
  if (code === '550' || code === '551' || code === '553')
    return 'The receiving server does not know the address, or refuses mail from this service.'
  if (code.startsWith('5'))
    return 'The receiving server has refused it for good: trying again as it is will not help.'
  return code.startsWith('4') ? 'The receiving server refuses it for now; that often ends by itself.' : null
}

function Details({ mail }: { mail: MailRecord }): ComponentChildren {
  const { id, state, attempts, error, resent_from } = mail
  return h(
    'div',
    { class: 'stack' },
    h('p', { role: 'status' }, h(MailState, { state }), ' ', ADVICE[state]),
    PENDING.includes(state) && h(Paused, { queue: 'send_mail' }),
    error &&
      h(
        Section,
        { title: state === 'sent' ? 'An earlier error' : 'Why it was not sent' },
        h('pre', { class: 'bad' }, error),
        h('p', null, causeOf(error)),
      ),
    h(Facts, {
      facts: [
        ['To', mail.to],
        ['User', h(Addressee, { address: mail.to })],
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
  )
}

/** The account with an address; the mail may have been for somebody who has none, or has another address by now. */
function Addressee({ address }: { address: string }): ComponentChildren {
  const query = { q: address, limit: '20' }
  const { value } = useLoad(`users ${address}`, (signal) =>
    call<Page<AdministeredUser>>('operations/users', { query, signal }),
  )
  if (value === undefined) return '…'
  const user = value.data.find(({ email }) => email.toLowerCase() === address.toLowerCase())
  if (user === undefined) return 'No account has this address now.'
  return h('a', { href: linkTo(['users', user.id]) }, h('bdi', null, user.username), ' – all that is theirs')
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
