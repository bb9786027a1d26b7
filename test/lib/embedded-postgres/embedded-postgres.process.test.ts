import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { startEmbeddedPostgres } from '#lib/embedded-postgres/embedded-postgres.ts'
import { FAST, query, serverDirectory, start } from '#test/support/embedded-servers.ts'

t.test('the server is PostgreSQL 18, closed to the network and to those without the password', async (t) => {
  const directory = await serverDirectory(t)
  const { url, superuserUrl } = await start(directory)
  const settings = `SELECT current_setting('server_version_num')::int / 10000 AS version,
    current_setting('listen_addresses') AS addresses, current_setting('unix_socket_directories') AS sockets,
    current_setting('password_encryption') AS password, current_setting('timezone') AS timezone,
    current_setting('fsync') AS fsync`
  t.same(await query(superuserUrl, settings), [
    {
      version: 18,
      addresses: '127.0.0.1',
      sockets: '',
      password: 'scram-sha-256',
      timezone: 'UTC',
      fsync: 'off',
    },
  ])
  const locale = `SELECT pg_encoding_to_char(encoding) AS encoding, datlocprovider AS provider,
    datlocale AS locale, datname AS name FROM pg_database WHERE datname = current_database()`
  t.same(await query(url, locale), [
    { encoding: 'UTF8', provider: 'b', locale: 'C.UTF-8', name: 'groundwork' },
  ])

  const password = await readFile(join(directory, 'password'), 'utf8')
  t.equal(new URL(superuserUrl).password, password.trim())
  t.not(new URL(url).password, password.trim())
  t.match(password, /^[\w-]{32}\n$/)
  t.equal((await stat(join(directory, 'password'))).mode & 0o777, 0o600)
  t.equal((await stat(directory)).mode & 0o777, 0o700)

  const wrong = new URL(url)
  wrong.password = 'guess'
  await t.rejects(query(wrong.href, 'SELECT 1'), { code: '28P01' })
})

t.test('data are there again after a restart', async (t) => {
  const directory = await serverDirectory(t)
  const messages: string[] = []
  const options = { directory, settings: FAST, log: (message: string) => messages.push(message) }
  const first = await startEmbeddedPostgres(options)
  await query(first.url, "CREATE TABLE notes (text text); INSERT INTO notes VALUES ('kept')")
  await Promise.all([first.stop(), first.stop()])
  await first.stop()
  await t.rejects(query(first.url, 'SELECT 1'), { code: 'ECONNREFUSED' })

  const second = await startEmbeddedPostgres(options)
  t.same(await query(second.url, 'SELECT text FROM notes'), [{ text: 'kept' }])
  await second.stop()
  t.same(
    messages.map((message) => message.split(' ', 1)[0]),
    ['Making', 'Started', 'Stopped', 'Started', 'Stopped'],
  )
})

t.test('the last to leave stops the server', async (t) => {
  const directory = await serverDirectory(t)
  const [one, two] = await Promise.all([start(directory), start(directory)])
  t.equal(one.url, two.url)
  await one.stop()
  t.same(await query(two.url, 'SELECT 1 AS one'), [{ one: 1 }])
  await two.stop()
  await t.rejects(query(two.url, 'SELECT 1'), { code: 'ECONNREFUSED' })
})

t.test('only the last to leave can discard the data', async (t) => {
  const directory = await serverDirectory(t)
  const [first, second] = [await start(directory), await start(directory)]
  await first.stop({ discard: true })
  t.same(await query(second.url, 'SELECT 1 AS one'), [{ one: 1 }])
  await second.stop({ discard: true })
  t.notOk((await readdir(directory)).includes('cluster'))
})

t.test('who comes while the last one leaves gets a server', async (t) => {
  const directory = await serverDirectory(t)
  const last = await start(directory)
  const messages: string[] = []
  const stopping = last.stop()
  const next = await startEmbeddedPostgres({ directory, settings: FAST, log: (text) => messages.push(text) })
  await stopping
  t.same(await query(next.url, 'SELECT 1 AS one'), [{ one: 1 }])
  t.match(messages, [/^Waiting for another process/, /^Started/])
})

t.test('`fresh` starts from nothing, unless others use the server', async (t) => {
  const directory = await serverDirectory(t)
  const one = await start(directory)
  await query(one.url, 'CREATE TABLE notes ()')
  const two = await start(directory, { fresh: true })
  t.same(await query(two.url, 'SELECT FROM notes'), [])
  await one.stop()
  await two.stop()
  const three = await start(directory, { fresh: true })
  await t.rejects(query(three.url, 'SELECT FROM notes'), { code: '42P01' })
})

t.test('a leftover of an interrupted initdb is neither used nor kept', async (t) => {
  const directory = await serverDirectory(t)
  await mkdir(join(directory, 'cluster.new-0123'), { recursive: true })
  await writeFile(join(directory, 'cluster.new-0123/PG_VERSION'), '18\n')
  const { stop } = await start(directory)
  await stop()
  const names = await readdir(directory)
  t.same(names.sort(), ['cluster', 'lock', 'password', 'server.log'])
})

t.test('a server that cannot start says why', async (t) => {
  const directory = await serverDirectory(t)
  const options = { directory, settings: { ...FAST, no_such_setting: '1' } }
  await t.rejects(startEmbeddedPostgres(options), { message: /did not start in .*"no_such_setting"/s })
})

t.test('a lost password is told', async (t) => {
  const directory = await serverDirectory(t)
  await start(directory)
  const file = join(directory, 'password')
  const password = await readFile(file, 'utf8')
  await writeFile(file, 'another\n')
  await t.rejects(startEmbeddedPostgres({ directory }), { message: /refuses the password in/ })
  await writeFile(file, password)
})

t.test('data of another version of PostgreSQL are told, and left alone', async (t) => {
  const directory = await serverDirectory(t)
  const { stop } = await start(directory)
  await stop()
  await writeFile(join(directory, 'cluster/PG_VERSION'), '15\n')
  await t.rejects(startEmbeddedPostgres({ directory }), {
    name: 'EmbeddedPostgresError',
    message: /did not start in .*another version of PostgreSQL\. Dump them/s,
  })
  t.equal(await readFile(join(directory, 'cluster/PG_VERSION'), 'utf8'), '15\n')
})
