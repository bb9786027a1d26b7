import { createServer, request as forward } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { createTestDatabase } from '#test/support/database.ts'
import { listenOn } from '#test/support/otlp-receiver.ts'
import { environment, startProcess } from '#test/support/process.ts'
import { startS3 } from '#test/support/s3-server.ts'
import { populated } from './backup/populated.ts'
import { PROGRAMS_PATH, startPostgresServer, WITHOUT_PROGRAMS } from './backup/postgres-server.ts'

// Each command is a process: what it sets for its requests holds for the whole of it.
t.setTimeout(300_000)

/** A forward proxy behind which every host is the server of one port; the hosts themselves don't exist. */
async function startForwardProxy(t: Test, port: number) {
  const asked: string[] = []
  // Of what is not encrypted, Node's own client tells the proxy the whole URL, and asks for no tunnel.
  const server = createServer((request, response) => {
    const { hostname, port: own, pathname, search } = new URL(request.url ?? '')
    asked.push(`${hostname}:${own || 80}`)
    const { method, headers } = request
    const to = { host: '127.0.0.1', port, method, path: pathname + search, headers }
    const other = forward(to, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(response)
    })
    other.on('error', () => response.destroy())
    request.pipe(other)
  })
  server.on('connect', (request, socket) => {
    asked.push(`${request.url}`)
    socket.on('error', () => undefined)
    const other = connect(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      other.pipe(socket).pipe(other)
    })
    other.on('error', () => socket.destroy())
  })
  return { url: await listenOn(t, server), asked }
}

async function run(t: Test, command: string, args: readonly string[], env: Record<string, string>) {
  const variables = environment({ APP_ENVIRONMENT: 'test', PATH: PROGRAMS_PATH, ...env })
  const file = join(import.meta.dirname, '../../commands', `${command}.ts`)
  const child = startProcess(t, process.execPath, [file, ...args], { env: variables })
  child.child.stdin?.end('a password that is long enough\n')
  const { code } = await child.exited
  return { code, stdout: child.stdout(), stderr: child.stderr() }
}

t.test('backups go through the proxy, there and back', { skip: WITHOUT_PROGRAMS }, async (t) => {
  const server = await startPostgresServer(t)
  const url = await populated(t, server)
  const s3 = await startS3(t)
  const proxy = await startForwardProxy(t, Number(new URL(s3.endpoint).port))
  const env = { ...s3.credentials, AWS_ENDPOINT_URL: 'http://s3.invalid', HTTP_PROXY: proxy.url }
  const place = 's3://backups/daily'
  t.match(await run(t, 'backup', ['--to', place], { ...env, APP_DATABASE__URL: url }), { code: 0 })
  t.equal(s3.objects.size, 3)
  t.same([...new Set(proxy.asked)], ['s3.invalid:80'])
  proxy.asked.length = 0
  const target = await server.createDatabase()
  t.match(await run(t, 'restore', ['--from', place], { ...env, APP_DATABASE__URL: target }), { code: 0 })
  t.same([...new Set(proxy.asked)], ['s3.invalid:80'])
  t.same(await server.query(target, 'SELECT id FROM users'), await server.query(url, 'SELECT id FROM users'))
})

t.test('so do doctor, the copies of checkpoints and the breach check of a new admin', async (t) => {
  const { url } = await createTestDatabase(t)
  const s3 = await startS3(t)
  const proxy = await startForwardProxy(t, Number(new URL(s3.endpoint).port))
  const bucket = (section: string) => ({
    [`APP_${section}__BUCKET`]: 'bucket',
    [`APP_${section}__ENDPOINT`]: 'http://s3.invalid',
    [`APP_${section}__ACCESS_KEY_ID`]: s3.credentials.AWS_ACCESS_KEY_ID,
    [`APP_${section}__SECRET_ACCESS_KEY`]: s3.credentials.AWS_SECRET_ACCESS_KEY,
  })
  const env = {
    APP_DATABASE__URL: url,
    APP_FILES__STORE: 's3',
    ...bucket('FILES__S3'),
    ...bucket('AUDIT__CHECKPOINT_S3'),
    APP_REALTIME__ENGINE: 'centrifugo',
    APP_REALTIME__CENTRIFUGO__URL: 'https://centrifugo.invalid',
    APP_REALTIME__CENTRIFUGO__API_KEY: 'key',
    APP_REALTIME__CENTRIFUGO__PROXY_SECRET: 'a secret of the proxy that is long enough',
    APP_AUTH__BREACH_CHECK__URL: 'https://range.invalid/range',
    // In the lower case that curl wants.
    http_proxy: proxy.url,
    HTTPS_PROXY: proxy.url,
  }
  const asked = () => [...new Set(proxy.asked.splice(0))].sort()

  const { stdout } = await run(t, 'doctor', ['--json'], env)
  const results: { check: string; findings: { severity: string }[] }[] = JSON.parse(stdout).results
  t.match(results.find(({ check }) => check === 'files')?.findings, [{ severity: 'warning' }].slice(1))
  t.same(asked(), ['centrifugo.invalid:443', 'range.invalid:443', 's3.invalid:80'])

  const admin = ['create', '--email', 'root@example.com', '--username', 'root']
  await run(t, 'admin', admin, env)
  t.same(asked(), ['range.invalid:443'])

  t.match(await run(t, 'audit-log', ['checkpoint'], env), { code: 0 })
  t.same(asked(), ['s3.invalid:80'])
  t.ok(
    [...s3.objects.keys()].some((key) => key.includes('checkpoint')),
    'the copy is there',
  )
  t.match(await run(t, 'audit-log', ['verify', '--copies'], env), {
    code: 0,
    stdout: /1 of them kept elsewhere/,
  })
  t.same(asked(), ['s3.invalid:80'])

  t.match(await run(t, 'doctor', [], { ...env, NO_PROXY: 's3.invalid' }), { code: 1 })
  t.same(asked(), ['centrifugo.invalid:443', 'range.invalid:443'], 'NO_PROXY holds')
})

t.test('a proxy that is not valid is named, and nothing leaves by another way', async (t) => {
  for (const [command, args] of [
    ['backup', ['--to', 's3://bucket']],
    ['restore', ['--from', 's3://bucket']],
    ['admin', ['promote', '--email', 'a@example.com']],
  ] as const) {
    const found = await run(t, command, args, { HTTPS_PROXY: 'proxy:3128' })
    t.match(found, { code: 1, stderr: /HTTPS_PROXY: must be a URL such as http:/ }, command)
  }
})
