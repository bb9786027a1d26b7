import { execFile } from 'node:child_process'
import { join } from 'node:path'
import t from 'tap'
import { createTestApp } from '../helper.ts'

const COMMAND = join(import.meta.dirname, '../../commands/jobs.ts')

/** Runs the command as a process of its own. */
function jobs(args: string[], env: Record<string, string>) {
  return new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) => {
    const options = { env: { ...process.env, ...env } }
    const child = execFile(process.execPath, [COMMAND, ...args], options, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode, stdout, stderr }),
    )
  })
}

t.test('puts dead letters back into their queues', async (t) => {
  const { db } = await createTestApp(t, { APP_ROLE: 'web' })
  const env = { APP_ENVIRONMENT: 'test', APP_DATABASE__URL: db.url }
  await db.query(
    `INSERT INTO pgboss.job (name, data, source_name) VALUES
       ('dead_letter', '{"n":1}', 'send_mail'), ('dead_letter', '{"n":2}', 'send_mail'), ('dead_letter', '{}', 'cleanup')`,
  )
  const names = async () => (await db.query('SELECT name FROM pgboss.job ORDER BY 1')).map(({ name }) => name)

  t.match(await jobs(['retry', 'send_mail'], env), { code: 0, stdout: 'Put back: 2\n' })
  t.strictSame(await names(), ['dead_letter', 'send_mail', 'send_mail'])
  t.match(await jobs(['retry'], env), { code: 0, stdout: 'Put back: 1\n' })
  t.strictSame(await names(), ['cleanup', 'send_mail', 'send_mail'])
  t.match(await jobs(['retry'], env), { code: 0, stdout: 'Put back: 0\n' })
})

t.test('says what is wrong', async (t) => {
  for (const args of [[], ['dance'], ['retry', 'a', 'b']]) {
    t.match(await jobs(args, {}), { code: 2, stdout: '', stderr: /^Usage: npm run jobs/ })
  }
  t.match(await jobs(['retry'], { APP_ROLE: 'web', APP_SERVER__PORT: 'x' }), {
    code: 1,
    stdout: '',
    stderr: /APP_SERVER__PORT/,
  })
})
