import { randomBytes } from 'node:crypto'
import { resolve } from 'node:path'
import type pg from 'pg'
import type { Config } from '#config/schema/schema.ts'
import { asDatabase } from '#lib/database/session-database.ts'
import type { ObjectStore } from '#lib/object-store/object-store.ts'
import { openObjectStore } from '#lib/object-store/open-object-store.ts'
import { someKept } from '#services/storage/inventory.ts'
import { faultOf } from '#services/storage/verification.ts'
import { askDatabase } from '../ask-database.ts'
import { type Check, type Finding, off, problem, unchecked, warning, wordsOf } from '../check.ts'
import { tryToWrite } from '../writable.ts'

const WHY = 'Files can be neither sent nor read.'

/** The bytes of an object that is written and removed again. */
const TRIAL = Buffer.from('doctor')

const check: Check = {
  name: 'files',
  reads: ['files', 'server.public_url', 'database'],
  async run({ config, strict }) {
    const { files } = config
    if (files.store === 'none') {
      return [off('files.store is `none`.', 'The service takes no files.', 'Set APP_FILES__STORE.')]
    }
    const found = files.store === 'local' ? await lookAtDirectory(files.directory) : await lookAtBucket(files)
    // The embedded PostgreSQL runs only while the service does.
    if (found.length === 0 && config.database.url !== undefined) found.push(...(await lookAtSome(config)))
    return [...found, ...(strict ? lookAtOrigin(config) : [])]
  },
}
export default check

async function lookAtDirectory(directory: string): Promise<Finding[]> {
  const place = resolve(directory)
  try {
    await tryToWrite(place)
    return []
  } catch (error) {
    const how =
      'Have this user own it, or set APP_FILES__DIRECTORY to another place that outlives the process.'
    return [problem(`${place} cannot be written to: ${wordsOf(error)}`, WHY, how)]
  }
}

async function lookAtBucket(files: Config['files']): Promise<Finding[]> {
  try {
    const store = await openObjectStore(files)
    // A key that may only read would be found out by the first upload.
    const key = randomBytes(16).toString('hex')
    await store?.write(key, trial(), TRIAL.length)
    await store?.size(key)
    await store?.remove(key)
    return []
  } catch (error) {
    const how = 'Correct the address, the bucket or the key in APP_FILES__S3__*, or give the key more rights.'
    return [problem(`The object store cannot be used: ${wordsOf(error)}`, WHY, how)]
  }
}

async function* trial(): AsyncIterable<Uint8Array> {
  yield TRIAL
}

/** Contents that are looked for. */
const SAMPLE = 100

const UNABLE = unchecked(
  'The database does not say which contents of files there should be.',
  'Some may be missing from the store.',
  'See what is said of the database, and run the doctor again.',
)

/** Looks for some contents, beginning anywhere: after a restore, or in a wrong place, many are missing. */
async function lookAtSome({ files, database }: Config): Promise<readonly Finding[]> {
  const store = await openObjectStore(files)
  if (store === undefined) return []
  return askDatabase(database, (client) => compare(client, store), UNABLE)
}

async function compare(client: pg.Client, store: ObjectStore): Promise<readonly Finding[]> {
  // Of every organization, and also through a pooler.
  await client.query('BEGIN READ ONLY')
  await client.query("SELECT set_config('app.scope', 'system', true)")
  const db = asDatabase(client)
  const sample = await someKept(db, randomBytes(16).toString('hex'), SAMPLE)
  const first = sample.length < SAMPLE ? await someKept(db, '', SAMPLE - sample.length) : []
  await client.query('COMMIT')
  const objects = [...new Map([...sample, ...first].map((object) => [object.key, object])).values()]
  const faults = await Promise.all(objects.map((object) => faultOf(store, object, false)))
  const wrong = faults.filter((fault) => fault !== undefined).length
  if (wrong === 0) return []
  return [
    problem(
      `The store lacks ${wrong} of ${objects.length} contents of files that were looked for, or has others.`,
      'These files cannot be read.',
      'See which with `npm run files -- verify`, and bring them back with `npm run files -- restore --from PLACE`.',
    ),
  ]
}

/** Files from strangers belong on an origin without anything to steal. */
function lookAtOrigin({ files, server }: Config): Finding[] {
  const [ofFiles, ofPages] = [files.public_url, server.public_url].map((url) => url && new URL(url).origin)
  if (ofFiles !== undefined && ofFiles !== ofPages) return []
  return [
    warning(
      'Links to files have the origin of the service.',
      'Should a browser ever run a file, it would run among your pages.',
      'Set APP_FILES__PUBLIC_URL to an origin of its own that leads to the service.',
    ),
  ]
}
