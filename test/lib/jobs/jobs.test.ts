import { pathToFileURL } from 'node:url'
import t from 'tap'
import { findJobs } from '#lib/jobs/find-jobs.ts'
import { defineJob, isJobDefinition } from '#lib/jobs/jobs.ts'

const handler = async () => undefined

t.test('defineJob fills in what is left out', async (t) => {
  const job = defineJob({ name: 'some_work', handler, retryLimit: 3 })
  t.match(job, {
    name: 'some_work',
    retryLimit: 3,
    retryDelay: 5,
    retryDelayMax: 3600,
    timeout: 300,
    concurrency: 2,
  })
  t.equal(job.cron, undefined)
  t.ok(isJobDefinition(job))
  t.notOk(isJobDefinition({ ...job }), 'a look-alike is not one')
  t.notOk(isJobDefinition(null))
  t.notOk(isJobDefinition('some_work'))
})

t.test('defineJob refuses names that make no queue or metric', async (t) => {
  for (const name of ['', 'Some', 'some-work', '1work', 'dead_letter']) {
    t.throws(() => defineJob({ name, handler }), { message: `a job can't be named ${name}` })
  }
})

t.test('findJobs finds those of every domain', async (t) => {
  const names = (await findJobs()).map(({ name }) => name)
  t.ok(names.includes('send_mail'))
  t.ok(names.includes('cleanup'))
  t.equal(new Set(names).size, names.length)
})

t.test('findJobs refuses two jobs of one name', async (t) => {
  const jobs = pathToFileURL(`${import.meta.dirname}/../../../lib/jobs/jobs.ts`).href
  const source = `import { defineJob } from '${jobs}'
export const other = 1
export const job = defineJob({ name: 'twice', handler: async () => undefined })`
  const directory = t.testdir({
    one: { 'jobs.ts': source, deeper: { 'jobs.ts': 'throw 1' } },
    two: { 'jobs.ts': source },
  })
  await t.rejects(findJobs(pathToFileURL(`${directory}/`)), { message: 'the job twice is defined twice' })
})
