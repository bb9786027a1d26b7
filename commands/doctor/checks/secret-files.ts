import { Stats } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { configKeys } from '#config/engine/keys.ts'
import { isMissingFile } from '#lib/files/missing-file.ts'
import { type Check, type Finding, problem, unchecked, warning, wordsOf } from '../check.ts'

const LOCAL = join(import.meta.dirname, '../../../config/local.toml')

/** Permissions of everybody. */
const OTHERS = 0o007

const check: Check = {
  name: 'secret files',
  reads: ['database.tls_key_file'],
  async run({ config, env, strict }) {
    const fromEnvironment = configKeys
      .filter(({ secret }) => secret)
      .map(({ variable }) => env[`${variable}_FILE`])
    const files = [...fromEnvironment, config.database.tls_key_file, LOCAL].filter(
      (file) => file !== undefined,
    )
    const findings = await Promise.all(
      files.map(async (file) => {
        const found = await stat(file).catch((error: unknown) => error)
        if (!(found instanceof Stats))
          return file === LOCAL && isMissingFile(found) ? [] : [notSeen(file, found)]
        if ((found.mode & OTHERS) === 0) return []
        const what = `Every account of this machine may use ${file} (mode ${(found.mode & 0o777).toString(8)}).`
        const why = 'It holds secrets of the service.'
        const how = `chmod o= ${file}`
        return [strict && file !== LOCAL ? problem(what, why, how) : warning(what, why, how)]
      }),
    )
    return findings.flat()
  },
}
export default check

function notSeen(file: string, error: unknown): Finding {
  return unchecked(
    `${file} cannot be looked at: ${wordsOf(error)}`,
    'Others may be able to read it.',
    'Run the doctor as the user of the service.',
  )
}
