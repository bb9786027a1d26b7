/**
 * `npm run jobs -- retry [queue]` puts the jobs that were given up back into their queues: all, or one queue's.
 * Exits with 1 when it fails, and with 2 for arguments that it does not know.
 */
import { buildApp } from '../app.ts'
import { loadConfig } from '../config/load.ts'
import { withDatabase } from '../services/embedded-postgres/with-database.ts'

const USAGE = 'Usage: npm run jobs -- retry [queue]\n'

const [name, queue, ...rest] = process.argv.slice(2)

if (name !== 'retry' || rest.length > 0) {
  process.stderr.write(USAGE)
  process.exitCode = 2
} else {
  try {
    process.stdout.write(`Put back: ${await retry()}\n`)
  } catch (error) {
    process.stderr.write(`${error}\n`)
    process.exitCode = 1
  }
}

async function retry(): Promise<number> {
  // As `web`, so that it does not begin to work on jobs itself.
  const loaded = loadConfig({ env: { APP_LOG__LEVEL: 'error', ...process.env, APP_ROLE: 'web' } })
  const { config, stop } = await withDatabase(loaded.config, (message) =>
    process.stderr.write(`${message}\n`),
  )
  try {
    const app = await buildApp(config)
    try {
      return await app.jobs.retryDead(queue)
    } finally {
      await app.close()
    }
  } finally {
    await stop()
  }
}
