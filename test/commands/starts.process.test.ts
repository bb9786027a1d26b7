import { join } from 'node:path'
import t from 'tap'
import { createTestDatabase } from '#test/support/database.ts'
import { environment, startProcess } from '#test/support/process.ts'

const COMMANDS = join(import.meta.dirname, '../../commands')

/** A use of each command as its own process: it works without the imports of others, and ends by itself. */
const USES: Record<string, { args?: (folder: string) => string[]; stdout: RegExp }> = {
  config: { stdout: /^KEY / },
  'config-docs': { args: (folder) => [join(folder, 'configuration.md')], stdout: /^$/ },
  dashboards: { args: (folder) => [folder], stdout: /^$/ },
  'db-reset': { args: () => ['--yes'], stdout: /^The database is empty/ },
  doctor: { args: () => ['--json'], stdout: /"ok": true/ },
  jobs: { stdout: /^QUEUE / },
  keys: { args: (folder) => ['new', folder], stdout: /^file / },
  migrate: { args: () => ['status'], stdout: /^VERSION / },
  openapi: { args: (folder) => [join(folder, 'openapi.json')], stdout: /^$/ },
  seed: { stdout: /root@example.com/ },
}

t.test('each command starts, works and ends as a process', async (t) => {
  const { url } = await createTestDatabase(t)
  const env = environment({ APP_ENVIRONMENT: 'test', APP_SERVER__PORT: '0', APP_DATABASE__URL: url })
  const folder = t.testdir({})
  for (const [name, { args, stdout }] of Object.entries(USES)) {
    const file = join(COMMANDS, `${name}.ts`)
    const command = startProcess(t, process.execPath, [file, ...(args?.(folder) ?? [])], { env })
    command.child.stdin?.end()
    t.same(await command.exited, { code: 0, signal: null }, name)
    t.match(command.stdout(), stdout, name)
  }
})
