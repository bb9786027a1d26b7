import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { v7 as uuidv7 } from 'uuid'
import { Mailbox } from '#services/mail/mailbox.ts'
import type { Mail } from '#services/mail/transport.ts'

function mail(n: number, to = 'ada@example.com'): Mail {
  const id = uuidv7({ msecs: 1_800_000_000_000 + n })
  return { id, date: new Date(), to, subject: `Mail ${n}`, text: 'text', html: '<p>html</p>' }
}

function open(t: Test) {
  const directory = join(t.testdir(), 'mail')
  const mailbox = new Mailbox({
    directory,
    sender: { from: 'Test <test@example.com>', productName: 'Groundwork' },
  })
  t.teardown(() => mailbox.close())
  return { mailbox, directory }
}

t.test('mail is kept, newest first', async (t) => {
  const { mailbox } = open(t)
  t.strictSame(await mailbox.list(), [], 'there is none')
  await mailbox.send(mail(1))
  await mailbox.send(mail(3))
  await mailbox.send(mail(2, 'bob@example.com'))
  const mails = await mailbox.list()
  t.match(mails, [
    { subject: 'Mail 3', to: 'ada@example.com', text: 'text', html: '<p>html</p>', sent_at: /Z$/ },
    { subject: 'Mail 2', to: 'bob@example.com' },
    { subject: 'Mail 1' },
  ])
  t.match(mails[0]?.headers, /^Subject: Mail 3$/m)
  t.match(mails[0]?.headers, `Message-ID: <${mails[0]?.id}@example.com>`)
  t.match(await mailbox.list({ to: 'bob@example.com' }), [{ subject: 'Mail 2' }])
  t.strictSame(await mailbox.find(`${mails[0]?.id}`), mails[0])
  await mailbox.clear()
  t.strictSame(await mailbox.list(), [])
})

t.test('the same mail twice is one', async (t) => {
  const { mailbox } = open(t)
  const twice = mail(1)
  await mailbox.send(twice)
  await mailbox.send(twice)
  t.equal((await mailbox.list()).length, 1)
})

t.test('only ids name mails', async (t) => {
  const { mailbox, directory } = open(t)
  await mailbox.send(mail(1))
  for (const id of ['', '../secret', 'messages', uuidv7()]) t.equal(await mailbox.find(id), null)
  const broken = uuidv7()
  await writeFile(join(directory, `${broken}.json`), '{')
  await t.rejects(mailbox.find(broken), SyntaxError)
})

t.test('a directory that cannot be read is told', async (t) => {
  const directory = join(t.testdir({ file: '' }), 'file')
  const mailbox = new Mailbox({ directory, sender: { from: 'test@example.com', productName: 'Groundwork' } })
  await t.rejects(mailbox.list(), { code: 'ENOTDIR' })
})

t.test('no more than 500 are kept', async (t) => {
  const { mailbox } = open(t)
  for (let n = 0; n < 503; n++) await mailbox.send(mail(n))
  const mails = await mailbox.list()
  t.equal(mails.length, 500)
  t.equal(mails[0]?.subject, 'Mail 502')
  t.equal(mails.at(-1)?.subject, 'Mail 3')
})
