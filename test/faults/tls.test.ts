import { execFileSync, spawnSync } from 'node:child_process'
import { chownSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import t, { type Test } from 'tap'
import { cancelStatement } from '#lib/database/cancel-statement.ts'
import { Session } from '#lib/database/session.ts'
import { HOSTILE, TIMES } from '#test/lib/database/hostile-settings.ts'
import { connectionTo } from '#test/support/connection-to.ts'
import { query, serverDirectory, start } from '#test/support/embedded-servers.ts'
import { eventually } from '#test/support/eventually.ts'
import { call, registration } from '#test/support/http.ts'
import { startService } from '#test/support/process.ts'

// Many processes, on a machine that may be busy.
t.setTimeout(300_000)

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2']

/** Makes certificate authorities and certificates in `directory`. */
function authority(directory: string, name: string) {
  const file = (suffix: string) => join(directory, `${name}.${suffix}`)
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' })
  openssl('req', '-x509', ...KEY, '-subj', `/CN=${name}`, '-keyout', file('key'), '-out', file('pem'))
  return {
    ca: file('pem'),
    sign(subject: string, alternative: string) {
      const key = join(directory, `${subject}.key`)
      const cert = join(directory, `${subject}.pem`)
      const own = ['-CA', file('pem'), '-CAkey', file('key'), '-addext', `subjectAltName=${alternative}`]
      openssl('req', '-x509', ...KEY, ...own, '-subj', `/CN=${subject}`, '-keyout', key, '-out', cert)
      return { key, cert }
    },
  }
}

/** A PostgreSQL that speaks TLS with a certificate for `localhost`, and asks clients for theirs if told to. */
async function startTlsServer(t: Test) {
  const certificates = t.testdir({})
  const ours = authority(certificates, 'ours')
  const { key, cert } = ours.sign('server', 'DNS:localhost')
  const directory = await serverDirectory(t)
  const server = await start(directory)
  t.teardown(() => server.stop())
  const cluster = join(directory, 'cluster')
  const { uid, gid } = statSync(cluster)
  const install = (name: string, content: Buffer | string) => {
    const path = join(cluster, name)
    writeFileSync(path, content, { mode: 0o600 })
    chownSync(path, uid, gid)
  }
  install('server.key', readFileSync(key))
  install('server.crt', readFileSync(cert))
  install('root.crt', readFileSync(ours.ca))
  await query(server.superuserUrl, 'ALTER SYSTEM SET ssl = on')
  await query(server.superuserUrl, "ALTER SYSTEM SET ssl_ca_file = 'root.crt'")
  await query(server.superuserUrl, 'SELECT pg_reload_conf()')
  await eventually(async () => {
    const [row] = await query(
      server.superuserUrl,
      "SELECT FROM pg_settings WHERE name = 'ssl' AND setting = 'on'",
    )
    return row !== undefined
  })
  const byName = new URL(server.url)
  byName.hostname = 'localhost'
  const { url: byAddress, superuserUrl } = server
  return { ours, certificates, byAddress, superuserUrl, byName: byName.href, install }
}

/** Whether the service's own connections are encrypted. */
const ENCRYPTED = `SELECT DISTINCT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
  WHERE application_name = 'groundwork'`

t.test('TLS to the database', { skip: lacksOpenssl() }, async (t) => {
  const { ours, certificates, byAddress, superuserUrl, byName, install } = await startTlsServer(t)
  const theirs = authority(certificates, 'theirs')

  async function works(t: Test, env: Record<string, string>, ssl: boolean): Promise<void> {
    const service = await startService(t, env)
    const json = registration()
    await eventually(async () => (await call(`${service.url}/ready`)).status === 200)
    const created = await call(`${service.url}/api/v1/users`, { method: 'POST', json })
    t.equal(created.status, 201)
    t.match(JSON.parse(created.text).created_at, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
    t.same(await query(byAddress, ENCRYPTED), [{ ssl }])
    service.child.kill('SIGTERM')
    await service.exited
    await eventually(async () => (await query(byAddress, ENCRYPTED)).length === 0)
  }
  async function fails(t: Test, env: Record<string, string>, err: object): Promise<void> {
    const { url, logs } = await startService(t, env)
    t.match(await call(`${url}/live`), { status: 200 })
    t.match(await call(`${url}/ready`), { status: 503 })
    t.match(await call(`${url}/api/v1/users`, { method: 'POST', json: registration() }), {
      status: 503,
      headers: { 'retry-after': /^\d+$/ },
      text: /database_unavailable/,
    })
    const told = () => logs().find(({ msg }) => msg === 'the database is away; migrations wait for it')
    await eventually(async () => told() !== undefined)
    t.match(told(), { level: 'warn', err })
  }

  await t.test('off', (t) => works(t, { APP_DATABASE__URL: byName, APP_DATABASE__TLS: 'off' }, false))
  await t.test('require', (t) =>
    works(t, { APP_DATABASE__URL: byAddress, APP_DATABASE__TLS: 'require' }, true),
  )
  const verify = { APP_DATABASE__URL: byName, APP_DATABASE__TLS: 'verify' }
  const verifyOurs = { ...verify, APP_DATABASE__TLS_CA_FILE: ours.ca }
  await t.test('verify', (t) => works(t, verifyOurs, true))
  await t.test('verify: an authority that is not among those of Node', (t) =>
    fails(t, verify, { code: /CERT|LEAF/ }),
  )
  await t.test('verify: another authority', (t) =>
    fails(t, { ...verify, APP_DATABASE__TLS_CA_FILE: theirs.ca }, { message: /certificate/ }),
  )
  await t.test('verify: another host', (t) =>
    fails(t, { ...verifyOurs, APP_DATABASE__URL: byAddress }, { code: 'ERR_TLS_CERT_ALTNAME_INVALID' }),
  )

  await t.test("verify: settings of the role and the database don't reach a session", async (t) => {
    const { user, database } = connectionTo(byAddress)
    for (const [index, [name, value]] of HOSTILE.entries()) {
      const owner = index % 2 === 0 ? `ROLE ${user}` : `DATABASE ${database}`
      await query(superuserUrl, `ALTER ${owner} SET ${name} = ${value}`)
    }
    const client = new Session(
      connectionTo(byName, { ...TIMES, ssl: { rejectUnauthorized: true, ca: readFileSync(ours.ca) } }),
    )
    await client.connect()
    for (const [name, , expected] of HOSTILE) {
      const { rows } = await client.query(`SELECT current_setting('${name}') AS value`)
      t.same(rows, [{ value: expected }], name)
    }
    const { rows } = await client.query('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()')
    t.same(rows, [{ ssl: true }])
    t.same([client.isPooled, client.differing, client.prepares], [false, [], true])
    await client.end()

    await works(t, verifyOurs, true)
    await query(superuserUrl, `ALTER ROLE ${user} RESET ALL`)
    await query(superuserUrl, `ALTER DATABASE ${database} RESET ALL`)
  })

  await t.test('a request to cancel goes over TLS too', async (t) => {
    const client = new pg.Client({ connectionString: byName, ssl: { ca: readFileSync(ours.ca) } })
    await client.connect()
    t.teardown(() => client.end())
    const sleeping = t.rejects(client.query('SELECT pg_sleep(600)'), { code: '57014' })
    await eventually(async () => {
      const rows = await query(byAddress, "SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep'")
      return rows.length === 1
    })
    t.equal(await cancelStatement(client), true)
    await sleeping
  })

  await t.test('client certificates', async (t) => {
    const { key, cert } = ours.sign('client', 'DNS:client')
    const rules = [
      'hostssl groundwork all all scram-sha-256 clientcert=verify-ca',
      'host postgres all all scram-sha-256',
    ]
    install('pg_hba.conf', `${rules.join('\n')}\n`)
    const admin = new URL(superuserUrl)
    admin.pathname = 'postgres'
    await query(admin.href, 'SELECT pg_reload_conf()')
    await eventually(async () =>
      query(byAddress, 'SELECT').then(
        () => false,
        () => true,
      ),
    )
    await fails(t, verifyOurs, { message: /certificate|alert/ })
    const withCertificate = {
      ...verifyOurs,
      APP_DATABASE__TLS_CERT_FILE: cert,
      APP_DATABASE__TLS_KEY_FILE: key,
    }
    const { url } = await startService(t, withCertificate)
    const answer = await call(`${url}/api/v1/users`, { method: 'POST', json: registration() })
    t.match(answer, { status: 201 })
  })
})

t.test('a server without TLS', async (t) => {
  const directory = await serverDirectory(t)
  const server = await start(directory)
  t.teardown(() => server.stop())
  const { url } = await startService(t, { APP_DATABASE__URL: server.url, APP_DATABASE__TLS: 'require' })
  t.match(await call(`${url}/api/v1/users`, { method: 'POST', json: registration() }), { status: 503 })
})

function lacksOpenssl(): string | false {
  return spawnSync('openssl', ['version']).status === 0 ? false : 'needs openssl'
}
