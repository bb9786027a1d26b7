import { randomBytes } from 'node:crypto'
import { resolve } from 'node:path'
import type { Config } from '#config/schema/schema.ts'
import { openObjectStore } from '#lib/object-store/open-object-store.ts'
import { type Check, type Finding, off, problem, warning, wordsOf } from '../check.ts'
import { tryToWrite } from '../writable.ts'

const WHY = 'Files can be neither sent nor read.'

/** The bytes of an object that is written and removed again. */
const TRIAL = Buffer.from('doctor')

const check: Check = {
  name: 'files',
  reads: ['files', 'server.public_url'],
  async run({ config, strict }) {
    const { files } = config
    if (files.store === 'none') {
      return [off('files.store is `none`.', 'The service takes no files.', 'Set APP_FILES__STORE.')]
    }
    const found = files.store === 'local' ? await lookAtDirectory(files.directory) : await lookAtBucket(files)
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
