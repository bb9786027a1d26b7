import { chmodSync, existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { connectionOptions } from '#config/engine/database-connection.ts'
import { BackupError } from '#lib/backup/backup-error.ts'
import {
  type DatabaseAccess,
  requireTool,
  run,
  runSql,
  type ToolAccess,
  withToolAccess,
} from '#lib/backup/postgres-tools.ts'
import { eventually } from '#test/support/eventually.ts'
import { testConfig } from '#test/support/helper.ts'

/** A program in place of one of PostgreSQL's. */
function program(t: Test, name: string, script: string): string {
  const folder = t.testdir({ [name]: `#!/bin/sh\n${script}\n` })
  const file = join(folder, name)
  chmodSync(file, 0o755)
  return file
}

async function collected(pieces: AsyncIterable<Uint8Array>): Promise<string> {
  let text = ''
  for await (const piece of pieces) text += Buffer.from(piece).toString()
  return text
}

t.test(
  'programs get the password by a file that only we can read, and that is gone afterwards',
  async (t) => {
    const connection = await connectionOptions(testConfig('postgres://me:a%3Ab%5Cc@db:1/x').database)
    const look = (tls: DatabaseAccess['tls']) =>
      withToolAccess({ connection, tls }, async ({ env, directory }: ToolAccess) => {
        const file = String(env['PGPASSFILE'])
        t.equal(readFileSync(file, 'utf8'), '*:*:*:*:a\\:b\\\\c\n')
        t.equal(statSync(file).mode & 0o777, 0o600)
        t.notMatch(JSON.stringify(env), 'a:b')
        return {
          env,
          directory,
          authorities: env['PGSSLROOTCERT'] && readFileSync(env['PGSSLROOTCERT'], 'utf8'),
        }
      })
    const off = await look({ tls: 'off' })
    t.match(off.env, { PGHOST: 'db', PGPORT: '1', PGUSER: 'me', PGDATABASE: 'x', PGSSLMODE: 'disable' })
    t.notOk(existsSync(off.directory))
    t.equal(off.env['PGOPTIONS'], '-c app.scope=system', 'it sees the rows of all organizations')
    const files = { tls_cert_file: '/cert', tls_key_file: '/key' }
    t.match((await look({ tls: 'require', ...files })).env, {
      PGSSLMODE: 'require',
      PGSSLCERT: '/cert',
      PGSSLKEY: '/key',
    })
    const verified = await look({ tls: 'verify' })
    t.equal(verified.env['PGSSLMODE'], 'verify-full')
    t.match(verified.authorities, 'BEGIN CERTIFICATE', 'the authorities that the service trusts')
    const own = program(t, 'ca.pem', '')
    t.equal((await look({ tls: 'verify', tls_ca_file: own })).env['PGSSLROOTCERT'], own)
  },
)

t.test('a program that is missing or too old is named, with what to install', async (t) => {
  const tool = program(t, 'pg_dump', 'echo "pg_dump (PostgreSQL) 17.2"')
  t.equal(await requireTool(tool, 17), 17)
  await t.rejects(requireTool(tool, 18), {
    name: 'BackupError',
    message: /version 17.*postgresql-client-18/s,
  })
  await t.rejects(requireTool(`${tool}-none`, 18), { message: /cannot be run.*postgresql-client-18/s })
  const failing = program(t, 'pg_dump', 'echo "pg_dump (PostgreSQL) 18.0"; exit 1')
  await t.rejects(requireTool(failing, 18), { message: /cannot be run/ })
  t.equal(await requireTool(program(t, 'pg_dump', 'echo "pg_dump (PostgreSQL) 19beta1"'), 18), 19)
})

t.test('output counts only when the program has ended well', async (t) => {
  const env = { PATH: process.env['PATH'] }
  t.equal(await collected(run('sh', ['-c', 'echo all'], env)), 'all\n')
  const failing = run('sh', ['-c', 'echo some; echo the disk is full >&2; exit 3'], env)
  await t.rejects(collected(failing), new BackupError('sh failed (3): the disk is full'))
  await t.rejects(collected(run('sh', ['-c', 'kill -9 $$'], env)), { message: /SIGKILL/ })
  await t.rejects(collected(run('/nowhere/pg_dump', [], env)), { code: 'ENOENT' })
  // Who stops reading stops the program.
  let pid = 0
  for await (const piece of run('sh', ['-c', 'echo $$; exec sleep 600'], env)) {
    pid = Number(Buffer.from(piece).toString())
    break
  }
  t.ok(pid > 1)
  await eventually(async () => {
    try {
      return !process.kill(pid, 0)
    } catch {
      return true
    }
  })
})

t.test('a backup is restored whole, or what refused it says why', async (t) => {
  async function* sql() {
    yield 'SELECT 1;\n'
    yield Buffer.from('SELECT 2;\n')
  }
  const psql = (script: string) => {
    const folder = join(program(t, 'psql', script), '..')
    return {
      env: { PATH: `${folder}:${process.env['PATH']}` },
      read: () => readFileSync(join(folder, 'out'), 'utf8'),
    }
  }
  const whole = psql('cat > "$(dirname "$0")/out"')
  await runSql(whole.env, sql())
  t.equal(whole.read(), 'SELECT 1;\nSELECT 2;\n')
  const refusing = psql('cat > /dev/null; echo "ERROR: no such table" >&2; exit 3')
  await t.rejects(runSql(refusing.env, sql()), {
    name: 'BackupError',
    message: 'PostgreSQL refused the backup: ERROR: no such table',
  })
  async function* broken() {
    yield 'BEGIN;\n'
    throw new Error('the backup is damaged')
  }
  await t.rejects(runSql(whole.env, broken()), { message: 'the backup is damaged' })
})
