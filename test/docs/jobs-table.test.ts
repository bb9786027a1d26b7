import { readFileSync } from 'node:fs'
import t from 'tap'
import { findJobs } from '#lib/jobs/find-jobs.ts'

const PAGE = new URL('../../docs/jobs-and-mail.md', import.meta.url)

/** Cells of the table of the service's jobs, by their queue. */
function documented(): Map<string | undefined, string[]> {
  const [, section = ''] = readFileSync(PAGE, 'utf8').split('## The jobs of the service')
  const [table = ''] = section.split('\n## ')
  const rows = table.match(/^\| `.*$/gm) ?? []
  return new Map(
    rows.map((row) => {
      const [queue, , ...cells] = row
        .split('|')
        .map((cell) => cell.trim().replaceAll('`', ''))
        .slice(1, -1)
      return [queue, cells]
    }),
  )
}

function duration(seconds: number): string {
  return seconds % 3600 === 0 ? `${seconds / 3600} h` : `${seconds / 60} min`
}

t.test('the jobs run as the page says', async (t) => {
  const jobs = new Map((await findJobs()).map((job) => [job.name, job]))
  const rows = documented()
  t.ok(rows.size >= 24)
  for (const [queue = '', cells] of rows) {
    const job = jobs.get(queue)
    if (job === undefined) t.fail(`there is no job ${queue}`)
    else {
      const { cron = '', retryLimit, concurrency, timeout } = job
      t.strictSame(cells, [cron, String(retryLimit), String(concurrency), duration(timeout)], queue)
    }
  }
})
