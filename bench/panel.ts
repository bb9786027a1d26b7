/**
 * Measures what people who run the service wait for: `npm run bench:panel -- [--jobs 1000000] [--only lists|action|browser]`:
 * pages of a long list of jobs, a retry of a hundred thousand beside the reads of users, and, with Chromium, the time until
 * the admin panel can be used (docs/performance.md). Exits with 1 when it fails, and with 2 for arguments that it does not
 * know.
 */
import { parseArgs } from 'node:util'
import { wholeNumber } from './arguments.ts'
import { withClient } from './environment/database.ts'
import { startService } from './environment/service.ts'
import { type Place, runBench } from './own-run.ts'
import { measureAction } from './panel/action.ts'
import { measureBrowser } from './panel/browser.ts'
import { fillJobs } from './panel/jobs.ts'
import { measureLists } from './panel/lists.ts'
import { signInAs } from './panel/stage.ts'

const USAGE = 'Usage: npm run bench:panel -- [--jobs <n>] [--only lists|action|browser]\n'
const PARTS = ['lists', 'action', 'browser'] as const

interface Wanted {
  readonly jobs: number
  readonly parts: readonly (typeof PARTS)[number][]
}

await runBench({ name: 'panel', usage: USAGE, read, work })

function read(args: string[]): Wanted | undefined {
  const options = { jobs: { type: 'string', default: '1000000' }, only: { type: 'string' } } as const
  const { jobs, only } = parseArgs({ args, options }).values
  const parts = PARTS.filter((part) => only === undefined || part === only)
  return parts.length > 0 ? { jobs: wholeNumber(jobs, '--jobs'), parts } : undefined
}

async function work({ jobs, parts }: Wanted, { directory, postgres }: Place): Promise<void> {
  const services: { stop(): Promise<void> }[] = []
  try {
    const databaseUrl = await postgres.createDatabase('bench', 1000, { policies: true })
    const start = async (role: 'web' | 'worker') => {
      const env = { APP_ROLE: role, APP_ADMIN__PANEL: 'true' }
      const service = await startService({ name: role, directory, databaseUrl, env })
      services.push(service)
      return service
    }
    // Nobody works on the jobs while they are listed.
    const { origin } = await start('web')
    const stage = { origin, admin: await signInAs(origin, 0), user: await signInAs(origin, 1) }
    if (parts.includes('browser')) await measureBrowser(stage)
    if (parts.includes('lists') || parts.includes('action'))
      await withClient(databaseUrl, (client) => fillJobs(client, jobs))
    if (parts.includes('lists')) await measureLists(stage)
    if (parts.includes('action')) await measureAction(stage, () => start('worker'))
  } finally {
    for (const service of services) await service.stop()
  }
}
