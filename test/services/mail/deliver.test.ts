import t from 'tap'
import { deriveKey, deriveToken } from '#lib/secrets/secrets.ts'
import { deliver, type MailContext } from '#services/mail/deliver.ts'
import type { MailMessage } from '#services/mail/message.ts'
import type { Mail } from '#services/mail/transport.ts'

const NOW = new Date('2026-03-14T09:00:00Z')
const SITE = {
  name: 'Groundwork',
  signIn: undefined,
  support: undefined,
  forgot: undefined,
  resend: undefined,
}
const key = deriveKey('secret', 'one-time tokens')

function prepare({ hasTransport = true } = {}) {
  const sent: Mail[] = []
  const logged: string[] = []
  const log = (_fields: object, message: string) => logged.push(message)
  const transport = {
    send: async (mail: Mail) => {
      sent.push(mail)
    },
    close: () => undefined,
  }
  const ctx: Pick<MailContext, 'log' | 'now' | 'mail'> = {
    log: { info: log, warn: log, error: log },
    now: () => NOW,
    mail: {
      transport: hasTransport ? transport : undefined,
      site: SITE,
      linkBase: 'https://a.example/account',
      tokenKey: key,
    },
  }
  return { ctx, sent, logged }
}

const LETTER = { id: '01997d1c-7b6e-7c3a-9d53-2f6a4c1e8b90', written_at: '2026-03-14T08:00:00.000Z' }

function reset(expires_at: string): MailMessage {
  return {
    template: 'reset-password',
    to: 'ada@example.com',
    token: { id: 'token-id', expires_at },
  }
}

t.test('the token in the link is made of its id', async (t) => {
  const { ctx, sent, logged } = prepare()
  const message = reset('2026-03-14T09:30:00.000Z')
  t.notMatch(JSON.stringify(message), deriveToken(key, 'token-id'))
  await deliver(ctx, { ...LETTER, message })
  t.match(sent, [
    {
      id: LETTER.id,
      date: new Date(LETTER.written_at),
      to: 'ada@example.com',
      subject: 'Reset your Groundwork password',
    },
  ])
  t.match(sent[0]?.text, `https://a.example/account/reset-password#token=${deriveToken(key, 'token-id')}\n`)
  t.strictSame(logged, ['mail sent'])
})

t.test('the same letter is the same mail', async (t) => {
  const { ctx, sent } = prepare()
  const letter = { ...LETTER, message: reset('2026-03-14T09:30:00.000Z') }
  await deliver(ctx, letter)
  await deliver(ctx, letter)
  t.strictSame(sent[0], sent[1])
})

t.test('a link that has expired is not sent', async (t) => {
  const { ctx, sent, logged } = prepare()
  await deliver(ctx, { ...LETTER, message: reset(NOW.toISOString()) })
  t.strictSame(sent, [])
  t.strictSame(logged, ['mail not sent: its link has expired'])
})

t.test('a mail without a link', async (t) => {
  const { ctx, sent } = prepare()
  const message: MailMessage = {
    template: 'already-registered',
    to: 'ada@example.com',
  }
  await deliver(ctx, { ...LETTER, message })
  t.match(sent, [{ subject: 'You already have an account with Groundwork' }])
})

t.test('without a way to send, it fails', async (t) => {
  const { ctx } = prepare({ hasTransport: false })
  await t.rejects(deliver(ctx, { ...LETTER, message: reset('2026-03-14T09:30:00.000Z') }), {
    message: 'there is nothing to send mail by',
  })
})
