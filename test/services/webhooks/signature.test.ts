import { Webhook, WebhookVerificationError } from 'standardwebhooks'
import t from 'tap'
import { newSecret, signedHeaders } from '#services/webhooks/signature.ts'

const message = (at = new Date()) => ({
  id: 'msg_1',
  at,
  body: '{"type":"project.created","text":"ü \\u2028"}',
})

t.test('the reference library accepts signatures', async (t) => {
  const secret = newSecret()
  t.match(secret, /^whsec_[A-Za-z0-9+/]{43}=$/)
  const { body } = message()
  const headers = signedHeaders(message(), [secret])
  t.same(new Webhook(secret).verify(body, headers), JSON.parse(body))
  const refuse = (text: string, changed: Record<string, string>) =>
    t.throws(() => new Webhook(secret).verify(text, changed), WebhookVerificationError)
  refuse(`${body} `, headers)
  refuse(body, { ...headers, 'webhook-id': 'msg_2' })
  refuse(body, { ...headers, 'webhook-timestamp': String(Number(headers['webhook-timestamp']) - 1) })
  refuse(body, signedHeaders(message(new Date(Date.now() - 301_000)), [secret]))
  refuse(body, signedHeaders(message(new Date(Date.now() + 310_000)), [secret]))
  refuse(body, signedHeaders(message(), [newSecret()]))
})

t.test('while a secret is replaced, the old one and the new one verify', async (t) => {
  const secrets = [newSecret(), newSecret()]
  const headers = signedHeaders(message(), secrets)
  t.equal(headers['webhook-signature']?.split(' ').length, 2)
  for (const secret of secrets) t.ok(new Webhook(secret).verify(message().body, headers))
})

t.test('signs as the specification says', async (t) => {
  // The specification's own example.
  const headers = signedHeaders(
    { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', at: new Date(1614265330_000), body: '{"test": 2432232314}' },
    ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'],
  )
  t.equal(headers['webhook-signature'], 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=')
})
