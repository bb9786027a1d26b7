import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import t, { type Test } from 'tap'
import { PermanentFailure } from '#lib/jobs/jobs.ts'
import { SmtpTransport } from '#services/mail/smtp.ts'
import type { Mail } from '#services/mail/transport.ts'
import { refusal, startSmtpServer } from '#test/support/smtp-server.ts'

const MAIL: Mail = {
  id: '01997d1c-7b6e-7c3a-9d53-2f6a4c1e8b90',
  date: new Date('2026-03-14T09:05:00Z'),
  to: 'ada@example.com',
  subject: 'Hello',
  text: 'Hello, Ada.\n',
  html: '<p>Hello, Ada.</p>',
}

const FROM = 'Groundwork <no-reply@service.example>'

function connect(
  t: Test,
  url: string,
  { from = FROM, ...options }: { requireTls?: boolean; from?: string } = {},
): SmtpTransport {
  const sender = { from, productName: 'Acme & Söhne' }
  const transport = new SmtpTransport({ url, requireTls: false, sender, ...options })
  t.teardown(() => transport.close())
  return transport
}

async function readTls() {
  const directory = new URL('../../fixtures/tls/', import.meta.url)
  const [key, cert] = await Promise.all(
    ['localhost-key.pem', 'localhost-cert.pem'].map((file) => readFile(new URL(file, directory), 'utf8')),
  )
  return { key: `${key}`, cert: `${cert}` }
}

t.test('a mail arrives, the same bytes each time', async (t) => {
  const server = await startSmtpServer(t)
  const transport = connect(t, server.url)
  await transport.send(MAIL)
  await transport.send(MAIL)
  const [first, second] = server.received
  t.match(first, { from: 'no-reply@service.example', to: ['ada@example.com'], secure: false })
  t.equal(first?.messageId, `<${MAIL.id}@service.example>`)
  t.equal(first?.raw, second?.raw)
  const headers = `${first?.raw.split('\r\n\r\n', 1)[0]}`.split('\r\n')
  t.ok(headers.includes('From: Groundwork <no-reply@service.example>'))
  t.ok(headers.includes('To: ada@example.com'))
  t.ok(headers.includes('Subject: Hello'))
  t.ok(headers.includes('Date: Sat, 14 Mar 2026 09:05:00 +0000'))
  t.ok(headers.includes('Auto-Submitted: auto-generated'))
  t.match(first?.raw, /text\/plain[\s\S]*Hello, Ada\.[\s\S]*text\/html[\s\S]*<p>Hello, Ada\.<\/p>/)
})

t.test('a sender without a name has that of the product, and a host that is an IPv6 address', async (t) => {
  const server = await startSmtpServer(t)
  await connect(t, server.url, { from: 'no-reply@service.example' }).send(MAIL)
  t.match(server.received[0]?.raw, /^From: =\?UTF-8\?Q\?Acme_=26_S=C3=B6hne\?= <no-reply@service\.example>$/m)
  // Nobody listens on 587 of that address.
  await t.rejects(connect(t, 'smtp://127.0.0.9').send(MAIL), /could not be used: ECONNREFUSED/)
  await t.rejects(connect(t, 'smtp://[::1]:1').send(MAIL), /the mail server could not be used: E/)
})

t.test('nothing that is put into a mail gets into its header', async (t) => {
  const server = await startSmtpServer(t)
  const transport = connect(t, server.url)
  const subjects = [
    'a\r\nBcc: eve@example.com',
    'a\nX: y',
    'Grüße, "Ada" <eve@example.com>',
    '=?utf-8?q?x?=',
    'x'.repeat(2000),
  ]
  for (const subject of subjects) await transport.send({ ...MAIL, subject })
  t.equal(server.received.length, subjects.length)
  for (const { raw, to } of server.received) {
    t.strictSame(to, ['ada@example.com'])
    const names = raw.split('\r\n\r\n', 1)[0]?.match(/^[\w-]+(?=:)/gm)
    t.strictSame(names?.sort(), [
      'Auto-Submitted',
      'Content-Type',
      'Date',
      'From',
      'MIME-Version',
      'Message-ID',
      'Subject',
      'To',
    ])
  }
})

t.test('a mail never brings a file or a page along', async (t) => {
  const server = await startSmtpServer(t)
  const transport = connect(t, server.url)
  const file = new URL('../../fixtures/tls/localhost-cert.pem', import.meta.url).pathname
  for (const source of [{ path: file }, { href: `${server.url.replace('smtp', 'http')}/` }]) {
    for (const part of ['text', 'html']) {
      // What no caller's type allows: the library would read it.
      const mail = Object.assign({ ...MAIL }, { [part]: source })
      await t.rejects(
        transport.send(mail),
        /access|could not be used|rejected/i,
        `${part} ${Object.keys(source)}`,
      )
    }
  }
  t.strictSame(server.received, [])
})

t.test('an address is one address, whatever is in it', async (t) => {
  const server = await startSmtpServer(t)
  const transport = connect(t, server.url)
  const hostile = [
    'ada@example.com\r\nRCPT TO:<eve@example.com>',
    'ada@example.com>\nBcc: eve@example.com',
    'ada@example.com, <eve@example.com>',
    '<eve@example.com>',
    'ada @example.com',
    'ada@example.com\0',
    'ada@example.com,eve@example.com',
    'ada;eve@example.com',
    'friends:ada@example.com;',
    'ada(eve@example.com)@example.com',
    '"ada"@example.com',
    'ada@[127.0.0.1]',
    'ada@eve@example.com',
    'ada',
    '',
  ]
  for (const to of hostile)
    await t.rejects(transport.send({ ...MAIL, to }), PermanentFailure, JSON.stringify(to))
  t.strictSame(server.received, [])

  await transport.send({ ...MAIL, to: "o'hara+tag_x.y@sub.example.com" })
  t.match(server.received, [{ to: ["o'hara+tag_x.y@sub.example.com"] }])
})

t.test('an address in any script', async (t) => {
  const server = await startSmtpServer(t)
  await connect(t, server.url).send({ ...MAIL, to: 'jürgen@example.com' })
  t.match(server.received, [{ to: ['jürgen@example.com'] }])
})

t.test('a server that says "not now" is asked again, one that says "never" is not', async (t) => {
  const cases = [
    { on: 'recipient', code: 450, permanent: false },
    { on: 'recipient', code: 550, permanent: true },
    { on: 'mail', code: 452, permanent: false },
    { on: 'mail', code: 554, permanent: true },
    { on: 'mail', code: 530, permanent: false },
  ]
  for (const { on, code, permanent } of cases) {
    const answer = () => {
      throw refusal(code, `5.1.1 <ada@example.com> is not welcome`)
    }
    const server = await startSmtpServer(t, on === 'mail' ? { onMail: answer } : { onRecipient: answer })
    const error = await connect(t, server.url)
      .send(MAIL)
      .then(() => undefined)
      .catch((error: unknown) => error)
    t.type(error, Error)
    t.equal(error instanceof PermanentFailure, permanent, `${code} at ${on}`)
    t.match(`${error}`, `${code} 5.1.1`)
    t.notMatch(`${error}`, 'ada', 'the address is not in what is logged')
    await server.close()
  }
})

t.test('a server that is away is asked again', async (t) => {
  const server = await startSmtpServer(t)
  await server.close()
  const error = await connect(t, server.url)
    .send(MAIL)
    .catch((error: unknown) => error)
  t.match(`${error}`, 'Error: the mail server could not be used: ECONNREFUSED')
  t.notOk(error instanceof PermanentFailure)
})

t.test('a server that hangs up is asked again', async (t) => {
  const server = createServer((socket) => socket.end())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const address = server.address()
  const port = address !== null && typeof address === 'object' ? address.port : 0
  await t.rejects(connect(t, `smtp://127.0.0.1:${port}`).send(MAIL), /could not be used: ECONNECTION/)
})

t.test('a server that answers late has the time that it needs', async (t) => {
  let release: () => void = () => undefined
  const gate = new Promise<void>((resolve) => {
    release = resolve
  })
  const server = await startSmtpServer(t, { onMail: () => gate })
  const sent = connect(t, server.url).send(MAIL)
  release()
  await sent
  t.equal(server.received.length, 1)
})

t.test('wrong credentials are our fault, not the mail’s', async (t) => {
  const server = await startSmtpServer(
    t,
    {},
    {
      disabledCommands: ['STARTTLS'],
      allowInsecureAuth: true,
      onAuth: ({ username, password }, _session, callback) => {
        if (username === 'us@er' && password === 'p:w') callback(null, { user: username })
        else callback(refusal(535, 'no'))
      },
    },
  )
  const withUser = (user: string) => server.url.replace('//', `//${user}@`)
  await connect(t, withUser('us%40er:p%3Aw')).send(MAIL)
  t.match(server.received, [{ user: 'us@er' }])
  const error = await connect(t, withUser('us%40er:wrong'))
    .send(MAIL)
    .catch((error: unknown) => error)
  t.match(`${error}`, 'EAUTH 535')
  t.notOk(error instanceof PermanentFailure)
  t.notMatch(`${error}`, 'wrong')
})

t.test('TLS', async (t) => {
  const tls = await readTls()
  const before = getCACertificates()
  const starttls = await startSmtpServer(t, {}, { ...tls, disabledCommands: ['AUTH'] })
  const smtps = await startSmtpServer(t, {}, { ...tls, secure: true })
  const plain = await startSmtpServer(t)
  const smtpsUrl = smtps.url.replace('smtp:', 'smtps:')

  for (const url of [starttls.url, smtpsUrl]) {
    await t.rejects(connect(t, url).send(MAIL), /could not be used/, 'a certificate that nobody vouches for')
  }
  setDefaultCACertificates([...before, tls.cert])
  t.teardown(() => setDefaultCACertificates(before))

  await connect(t, smtpsUrl).send(MAIL)
  await connect(t, smtpsUrl, { requireTls: true }).send(MAIL)
  t.match(smtps.received, [{ secure: true }, { secure: true }])
  await connect(t, starttls.url).send(MAIL)
  await connect(t, starttls.url, { requireTls: true }).send(MAIL)
  t.match(starttls.received, [{ secure: true }, { secure: true }])
  await t.rejects(connect(t, plain.url, { requireTls: true }).send(MAIL), /the mail server/)
  t.strictSame(plain.received, [])
})
