import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { newSecret, signedHeaders } from '#services/webhooks/signature.ts'
import { eventually } from '#test/support/eventually.ts'
import { freePort } from '#test/support/free-port.ts'

const ROOT = join(import.meta.dirname, '../..')
const LANGUAGES = [
  { language: 'js', file: 'receiver.mjs', command: process.execPath },
  { language: 'python', file: 'receiver.py', command: 'python3' },
]

for (const { language, file, command } of LANGUAGES) {
  const isMissing = spawnSync(command, ['--version']).status !== 0
  t.test(`the receiver in ${language} takes our messages, and no others`, { skip: isMissing }, async (t) => {
    const page = await readFile(join(ROOT, 'docs/webhooks.md'), 'utf8')
    const [, code = ''] = new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 's').exec(page) ?? []
    // Below the project, so that the reference library is found.
    const path = join(t.testdir(), file)
    await writeFile(path, code)
    const [secret, port] = [newSecret(), await freePort()]
    const env = { ...process.env, WEBHOOK_SECRET: secret, PORT: String(port) }
    const receiver = spawn(command, [path], { env, stdio: ['ignore', 'pipe', 'inherit'] })
    t.teardown(async () => {
      receiver.kill()
      if (receiver.exitCode === null && receiver.signalCode === null) await once(receiver, 'exit')
    })
    let output = ''
    receiver.stdout.on('data', (chunk) => {
      output += chunk
    })
    const body = '{"type":"projects.created"}'
    const send = (headers: Record<string, string>) =>
      fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body, headers }).then(({ status }) => status)
    const signed = (key: string, at = new Date()) => signedHeaders({ id: 'one', at, body }, [key])
    await eventually(async () => send(signed(newSecret())).then(Boolean, () => false))
    t.equal(await send(signed(secret)), 204)
    t.equal(await send(signed(newSecret())), 400)
    t.equal(await send(signed(secret, new Date(Date.now() - 3_600_000))), 400)
    await eventually(async () => output.includes('projects.created one'))
  })
}
