import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import t from 'tap'
import { transaction } from '#lib/database/database.ts'
import { sendMail } from '#services/mail/mail.ts'
import { eventually } from '#test/support/eventually.ts'
import { createTestApp } from '#test/support/helper.ts'
import { startSmtpServer } from '#test/support/smtp-server.ts'
import { startWorker } from './worker.ts'

// Jobs of a killed worker are given to another when they have shown no sign of life for ten seconds.
t.setTimeout(180_000)

const MAILS = 48
const KILLS = 6

t.test('a worker that is killed at any moment loses no mail, and nobody sees one twice', async (t) => {
  let worker: ChildProcess | undefined
  let kills = 0
  const kill = () => {
    kills++
    worker?.kill('SIGKILL')
  }
  // Now before a mail is accepted, now when it was but the worker has not noted it.
  const isNext = () => kills < KILLS && worker?.exitCode === null && !worker.killed && Math.random() < 0.3
  const server = await startSmtpServer(t, {
    onMail: () => {
      if (kills % 2 === 0 && isNext()) kill()
    },
    onAccepted: () => {
      if (kills % 2 === 1 && isNext()) kill()
    },
  })
  const { app, db } = await createTestApp(t, { APP_ROLE: 'web', APP_EMAIL__SMTP_URL: server.url })
  const addresses = Array.from({ length: MAILS }, (_, n) => `user${n}@example.com`)
  await transaction(app.ctx, async (tx) => {
    for (const to of addresses) {
      await sendMail(tx, { template: 'already-registered', to })
    }
  })

  const states = () =>
    db.query<{ state: string; jobs: number }>(
      "SELECT state::text, count(*)::int AS jobs FROM pgboss.job WHERE name = 'send_mail' GROUP BY 1",
    )
  let done = false
  const keepRunning = (async () => {
    while (!done) {
      worker = startWorker(t, { APP_DATABASE__URL: db.url, APP_EMAIL__SMTP_URL: server.url })
      await once(worker, 'exit')
    }
  })()
  // Three times the half minute, for the last jobs may have to be given up by dead workers twice.
  for (let part = 0; part < 4 && !done; part++) {
    await eventually(async () => {
      const [only, ...others] = await states()
      done = others.length === 0 && only?.state === 'completed'
      return done
    }).catch(() => undefined)
  }
  t.ok(done, 'every job is completed')
  t.equal(kills, KILLS, 'workers were killed while they sent')
  done = true
  worker?.kill('SIGKILL')
  await keepRunning

  t.strictSame(await states(), [{ state: 'completed', jobs: MAILS }])
  t.comment(`${kills} workers killed, ${server.received.length - MAILS} mails sent twice`)
  // A mailbox that knows a message by its Message-ID shows each once.
  const mailbox = new Map(server.received.map((mail) => [mail.messageId, mail]))
  t.strictSame([...mailbox.values()].flatMap(({ to }) => to).sort(), addresses.sort())
  for (const mail of server.received)
    t.equal(mail.raw, mailbox.get(mail.messageId)?.raw, 'a repetition is the same')
})
