import type { Config } from '#config/schema/schema.ts'
import { copyPlacesOf } from '#services/audit/copy-places.ts'
import { type Check, type Finding, off, problem, wordsOf } from '../check.ts'
import { lookAtKeyFiles } from '../key-files.ts'
import { tryToWrite } from '../writable.ts'

/** The keys that sign checkpoints of the audit log, and the place of their copies. */
const check: Check = {
  name: 'audit log',
  reads: ['audit'],
  async run({ config: { audit } }) {
    const { checkpoint_directory, checkpoint_s3, signing_key_file } = audit
    const copies = [
      ...(checkpoint_directory === undefined ? [] : await lookAtDirectory(checkpoint_directory)),
      ...(checkpoint_s3.bucket === undefined ? [] : await lookAtBucket(audit)),
    ]
    const keys = await lookAtKeys(audit)
    if (copies.length > 0 || keys.length > 0 || signing_key_file !== undefined) return [...keys, ...copies]
    const why = 'Anyone who writes the database can write checkpoints of the audit log too.'
    return [off('audit.signing_key_file is not set: checkpoints are not signed.', why, 'docs/audit-log.md')]
  },
}
export default check

async function lookAtKeys(audit: Config['audit']): Promise<Finding[]> {
  if (audit.signing_key_file === undefined) return []
  return lookAtKeyFiles('audit', audit, 'Anyone who reads it can sign checkpoints of a false audit log.')
}

const WHY = 'Checkpoints of the audit log have no copy outside the database.'

async function lookAtDirectory(directory: string): Promise<Finding[]> {
  try {
    await tryToWrite(directory)
    return []
  } catch (error) {
    return [
      problem(
        `${directory} cannot be written to: ${wordsOf(error)}`,
        WHY,
        'Have this user own it, or set APP_AUDIT__CHECKPOINT_DIRECTORY to another place.',
      ),
    ]
  }
}

/** Writes and reads an object beside the checkpoints. It stays, for the key may be one that removes nothing. */
async function lookAtBucket({ checkpoint_s3 }: Config['audit']): Promise<Finding[]> {
  try {
    for (const place of copyPlacesOf({ checkpoint_s3 })) {
      await place.write('doctor', 'doctor')
      await place.read('doctor')
    }
    return []
  } catch (error) {
    const how =
      'Correct the address, the bucket or the key in APP_AUDIT__CHECKPOINT_S3__*, or give the key more rights.'
    return [problem(`The bucket of checkpoints cannot be used: ${wordsOf(error)}`, WHY, how)]
  }
}
