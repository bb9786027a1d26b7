import { once } from 'node:events'
import { createServer } from 'node:net'
import t from 'tap'
import { placeCentrifugo, WITHOUT_CENTRIFUGO } from '#test/support/centrifugo.ts'
import { createEmptyDatabase, createTestDatabase } from '#test/support/database.ts'
import { doctor, findings, PRODUCTION } from '#test/support/doctor.ts'
import { startInstance } from '#test/support/instances.ts'
import { startNats, WITHOUT_NATS } from '#test/support/nats-server.ts'
import { startPgBouncer, WITHOUT_PGBOUNCER } from '#test/support/pgbouncer.ts'
import { startRedis, WITHOUT_REDIS } from '#test/support/redis-server.ts'
import { startSmtpServer } from '#test/support/smtp-server.ts'

t.test('a set-up that is well', async (t) => {
  const { url } = await createTestDatabase(t)
  const smtp = await startSmtpServer(t)
  const env = { APP_DATABASE__URL: url, APP_EMAIL__SMTP_URL: smtp.url }
  t.match(await doctor(env, []), {
    code: 0,
    stdout: /^(?:(?:ok {10}[\w ]+|off {9}.+)\n){26}$/,
    stderr: '',
  })
  t.same(smtp.received, [], 'nothing was mailed')
})

t.test('beside a service that runs', async (t) => {
  const { url } = await createTestDatabase(t)
  const service = await startInstance(t, { url })
  const { port } = new URL(await service.listen({ host: '127.0.0.1', port: 0 }))
  t.same(await findings(t, { APP_DATABASE__URL: url, APP_SERVER__PORT: port }), [])
})

t.test('with the embedded PostgreSQL all can be looked at that there is', async (t) => {
  t.same(await findings(t, {}), [])
})

t.test('arguments that it does not know give the usage', async (t) => {
  t.match(await doctor({}, ['--all']), { code: 2, stdout: '', stderr: /\nUsage: npm run doctor/ })
})

t.test('a bad configuration: every broken key, and what does not rely on one is looked at', async (t) => {
  const { url } = await createTestDatabase(t)
  const broken = {
    APP_SERVER__PROT: '1',
    APP_SERVER__PORT: 'http',
    APP_REDIS__URL: 'nowhere',
    APP_REDIS__COMMAND_TIMEOUT: 'soon',
    APP_EMAIL__FROM: '@',
  }
  const env = { APP_DATABASE__URL: url.replace(/[^/]+$/, 'nowhere'), ...broken }
  const found = await findings(t, env)
  const of = (start: string) => found.filter((line) => line.startsWith(start))
  t.equal(of('problem configuration').length, 5, found.join('\n'))
  t.match(of('problem database'), [/database "nowhere" does not exist/])
  t.match(of('unchecked port'), [/APP_SERVER__PORT is not valid, and this check relies on it/])
  const both = /APP_REDIS__URL and APP_REDIS__COMMAND_TIMEOUT are not valid, and this check relies on them/
  t.match(of('unchecked Redis'), [both])
  t.equal(of('unchecked mail').length, 0)
  t.match(of('unchecked migrations'), [/The database cannot be asked/])

  const text = await doctor({ APP_SERVER__PORT: 'http', APP_DATABASE__URL: url }, [])
  t.match(text, {
    code: 1,
    stdout:
      /^problem {5}configuration: .*\n {12}Why: .*\n {12}Fix: .*\n[\s\S]*^not checked port: .*\n {12}Why: /m,
  })
  t.match(text.stdout, /^ok {10}database$/m)
})

t.test('what could not be looked at is not well, and has an exit code of its own', async (t) => {
  const { url } = await createTestDatabase(t)
  const env = {
    APP_DATABASE__URL: url,
    APP_SERVER__PUBLIC_URL: 'https://nosuch.invalid',
    APP_SERVER__TRUSTED_PROXIES: '127.0.0.1',
  }
  t.match(await doctor(env), { code: 3, stdout: /^\{\n {2}"ok": false/ })
  t.match(await findings(t, env), [/^unchecked TLS: https:\/\/nosuch\.invalid cannot be reached from here/])
})

t.test('a session is compared with what was asked for', async (t) => {
  const { url, querySuper: query, name } = await createTestDatabase(t)
  await query(`ALTER DATABASE ${name} SET session_replication_role = replica`)
  const refused = await findings(t, { APP_DATABASE__URL: url })
  t.match(refused.join('\n'), /^problem database: .*session_replication_role is replica/m)
  t.match(refused.join('\n'), /^unchecked database session: /m)
  await query(`ALTER DATABASE ${name} RESET session_replication_role`)
  await query(`CREATE ROLE ${name} ROLE groundwork`)
  t.teardown(() => query(`DROP ROLE ${name}`))
  await query(`ALTER DATABASE ${name} SET role = ${name}`)
  t.match(await findings(t, { APP_DATABASE__URL: url }), [
    /^problem database: Our role may not create/,
    /^unchecked encryption: .*permission denied/,
    /^unchecked files: .*permission denied/,
    /^unchecked migrations: .*permission denied/,
    /^warning database session: The session acts as test_/,
  ])
  await query(`ALTER DATABASE ${name} RESET role`)
  const { stdout } = await doctor({ APP_DATABASE__URL: url, PGOPTIONS: '-c x=y', PGHOST: 'z' }, [])
  t.match(stdout, /^off {9}database session: PGHOST, PGOPTIONS: set, and not read/m)
})

t.test('a role that row-level security does not bind', async (t) => {
  const { url, querySuper, name } = await createTestDatabase(t)
  await querySuper(`CREATE ROLE ${name} LOGIN SUPERUSER PASSWORD 'secret'`)
  t.teardown(() => querySuper(`DROP ROLE ${name}`))
  const { host, pathname } = new URL(url)
  const env = { APP_DATABASE__URL: `postgres://${name}:secret@${host}${pathname}` }
  t.match(await findings(t, env), [/^warning database: .*BYPASSRLS.*ALTER ROLE .. NOSUPERUSER/])
  const { stdout } = await doctor({ ...PRODUCTION, ...env }, [])
  t.match(stdout, /The database's role is a superuser, or has BYPASSRLS\.[\s\S]*The service does not start/)
})

t.test('a session through a pooler', { skip: WITHOUT_PGBOUNCER }, async (t) => {
  const { url } = await createTestDatabase(t)
  const env = { APP_DATABASE__URL: await startPgBouncer(t, url) }
  t.match(await findings(t, env), [
    /^warning database session: Behind the pooler these differ .*statement_timeout = 0.*ALTER ROLE/,
  ])
  const named = await findings(t, { ...env, APP_DATABASE__PREPARED_STATEMENTS: 'true' })
  t.match(named, [
    /^problem database: The database cannot be used: database.prepared_statements is true, and .*auto/,
  ])
  const statement = await findings(t, {
    APP_DATABASE__URL: await startPgBouncer(t, url, { mode: 'statement' }),
  })
  t.match(statement, [/^problem database: The database cannot be used: the pooler has no transactions/])
})

t.test('a database that does not let us in', async (t) => {
  const { url } = await createTestDatabase(t)
  const cases: [string, RegExp][] = [
    [url.replace(/:[^:@]+@/, ':wrong@'), /password authentication failed.*correct them in APP_DATABASE__URL/],
    [url.replace(/[^/]+$/, 'nowhere'), /database "nowhere" does not exist.*CREATE DATABASE/],
    ['postgres://x@127.0.0.1:1/x', /ECONNREFUSED.*start PostgreSQL/],
    ['postgres://x@nosuch.invalid/x', /correct it in APP_DATABASE__URL, or fix DNS|does not answer/],
  ]
  for (const [bad, expected] of cases) {
    const found = await findings(t, { APP_DATABASE__URL: bad })
    t.match(found.slice(1), [
      /^unchecked encryption: /,
      /^unchecked files: /,
      /^unchecked migrations: /,
      /^unchecked database session: /,
    ])
    t.match(found[0], /^problem database: The database cannot be used: /)
    t.match(found[0], expected)
    t.notMatch(found[0], /wrong@/, 'no secret')
  }
})

t.test('a database that will not do', async (t) => {
  const { url, query, name } = await createEmptyDatabase(t)
  const pending = await findings(t, { APP_DATABASE__URL: url, APP_DATABASE__MIGRATE_ON_START: 'false' })
  t.match(pending, [
    /^unchecked encryption: The encrypted values cannot be counted/,
    /^unchecked files: The database does not say which contents/,
    /^problem migrations: Migrations are pending: 1 \(create-users\), .*npm run migrate -- up$/,
  ])
  await query(`ALTER DATABASE ${name} SET default_transaction_read_only = on`)
  const env = { APP_DATABASE__URL: url, APP_DATABASE__MAX_CONNECTIONS: '5000' }
  t.match(await findings(t, env), [
    /^problem database: The database only reads/,
    /^problem database: This instance may want 5003 connections, and the server allows \d+/,
    /^unchecked encryption: /,
    /^unchecked files: /,
  ])
})

t.test('migrations that are not those of the files', async (t) => {
  const { url, query } = await createTestDatabase(t)
  await query("UPDATE schemaversion SET md5 = 'other' WHERE version = 2")
  await query("INSERT INTO schemaversion (version, name, md5, run_at) VALUES (999, 'later', 'x', now())")
  t.match(await findings(t, { APP_DATABASE__URL: url }), [
    /^problem migrations: Migrations are not what was applied: 2 \(create-sessions\)/,
    /^warning migrations: The database has newer migrations: 999 \(later\)/,
  ])
})

t.test('replicas', async (t) => {
  const { url } = await createTestDatabase(t)
  const replicas = [url.replace('127.0.0.1', 'localhost'), url.replace(/@[^/]+/, '@127.0.0.1:1')]
  t.match(await findings(t, { APP_DATABASE__URL: url, APP_DATABASE__REPLICA_URLS: replicas.join(',') }), [
    /^problem replicas: The replica localhost:\d+ is a primary/,
    /^problem replicas: The replica 127\.0\.0\.1:1 cannot be used: .*ECONNREFUSED/,
  ])
})

t.test('Redis', { skip: WITHOUT_REDIS }, async (t) => {
  const { url } = await createTestDatabase(t)
  const redis = await startRedis(t, { password: 'secret' })
  const env = { APP_DATABASE__URL: url, APP_REDIS__COMMAND_TIMEOUT: '5s' }
  t.same(await findings(t, { ...env, APP_REDIS__URL: redis.url }), [])
  const wrong = await findings(t, { ...env, APP_REDIS__URL: redis.url.replace('secret', 'other') })
  t.match(wrong, [/^problem Redis: Redis cannot be used: .*WRONGPASS/])
  await redis.kill()
  t.match(await findings(t, { ...env, APP_REDIS__URL: redis.url }), [/^problem Redis: .*ECONNREFUSED/])
})

t.test('the message broker', { skip: WITHOUT_NATS }, async (t) => {
  const { url } = await createTestDatabase(t)
  const nats = await startNats(t, { user: 'reader', password: 'secret' })
  const env = { APP_DATABASE__URL: url, APP_BROKER__KIND: 'nats' }
  t.same(await findings(t, { ...env, APP_BROKER__URLS: nats.url }), [])
  const wrong = await findings(t, { ...env, APP_BROKER__URLS: nats.url.replace('secret', 'other') })
  t.match(wrong, [/^problem message broker: NATS JetStream cannot be used: .*Authorization/i])
  await nats.kill()
  t.match(await findings(t, { ...env, APP_BROKER__URLS: nats.url }), [/^problem message broker: .*refused/i])
})

t.test('the cluster of realtime', { skip: WITHOUT_CENTRIFUGO }, async (t) => {
  const { url } = await createTestDatabase(t)
  const centrifugo = await placeCentrifugo(t)
  const env = { APP_DATABASE__URL: url, ...centrifugo.settings }
  t.match(await findings(t, env), [
    /^problem realtime: Centrifugo cannot be used: Centrifugo does not answer/,
  ])
  await centrifugo.start('http://127.0.0.1:9')
  t.same(await findings(t, env), [])
  t.match(await findings(t, { ...env, APP_REALTIME__CENTRIFUGO__API_KEY: 'another' }), [
    /^problem realtime: Centrifugo cannot be used: Centrifugo answered 401/,
  ])
})

t.test('smaller copies of images', async (t) => {
  const { url } = await createTestDatabase(t)
  const look = (env: Record<string, string>) => findings(t, { APP_DATABASE__URL: url, ...env })
  t.same(await look({ APP_FILES__THUMBNAILS__ENABLED: 'false' }), [])
  t.same(await look({ APP_FILES__DIRECTORY: t.testdir() }), [])
})

t.test('the mail server', async (t) => {
  const { url } = await createTestDatabase(t)
  const smtp = await startSmtpServer(t)
  const env = { APP_DATABASE__URL: url, APP_EMAIL__SMTP_URL: smtp.url }
  t.match(await findings(t, { ...env, APP_EMAIL__REQUIRE_TLS: 'true' }), [
    /^problem mail: The mail server cannot be used: .*email\.require_tls is on/,
  ])
  await smtp.close()
  t.match(await findings(t, env), [/^problem mail: .*ECONNREFUSED.*APP_EMAIL__SMTP_URL/])
})

t.test('a port that somebody else has', async (t) => {
  const { url } = await createTestDatabase(t)
  const other = createServer((socket) => socket.end('not HTTP\r\n\r\n')).listen(0, '127.0.0.1')
  t.teardown(() => other.close())
  await once(other, 'listening')
  const address = other.address()
  const port = String(address !== null && typeof address === 'object' ? address.port : 0)
  t.match(await findings(t, { APP_DATABASE__URL: url, APP_SERVER__PORT: port }), [
    /^problem port: Port \d+ of 127\.0\.0\.1 cannot be listened on\. The port is taken/,
  ])
  const env = { APP_DATABASE__URL: url, APP_SERVER__HOST: '203.0.113.9', APP_SERVER__PORT: port }
  t.match(await findings(t, env), [/^problem port: .*This machine has no such address/])
  const panel = { APP_DATABASE__URL: url, APP_ADMIN__PANEL: 'true', APP_ADMIN__ADDRESS: `127.0.0.1:${port}` }
  t.match(await findings(t, panel), [/^problem port: Port \d+ of 127\.0\.0\.1 cannot be listened on/])
})

t.test('proxies and TLS in production', async (t) => {
  const { url } = await createTestDatabase(t)
  const env = { ...PRODUCTION, APP_DATABASE__URL: url }
  const bare = (await findings(t, env)).join('\n')
  t.match(bare, /^warning proxy: server\.public_url is not set/m)
  t.match(bare, /^warning mail: There is no mail server/m)
  t.match(bare, /^problem database: fsync is off/m, "the tests' own server is not for production")
  const https = { APP_SERVER__PUBLIC_URL: 'https://nosuch.invalid' }
  const found = (await findings(t, { ...env, ...https })).join('\n')
  t.match(found, /^problem proxy: Clients come by https.*APP_SERVER__TRUSTED_PROXIES/m)
  t.match(found, /^unchecked TLS: https:.* cannot be reached from here/m)
  const plain = {
    APP_SERVER__PUBLIC_URL: 'http://api.example.com',
    APP_SERVER__TRUSTED_PROXIES: '0.0.0.0/1,128.0.0.0/1',
  }
  const open = (await findings(t, { ...env, ...plain })).join('\n')
  t.match(open, /^problem proxy: server\.trusted_proxies trusts half the world/m)
  t.match(open, /^problem proxy: server\.public_url is .* without TLS/m)
  const far = { ...env, APP_DATABASE__URL: 'postgres://x@nosuch.invalid/x' }
  t.match((await findings(t, far)).join('\n'), /^warning TLS: Connections to the database .* not encrypted/m)
})
