import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { configKeys } from '../../../config/keys.ts'
import { type Check, problem, warning } from '../check.ts'

const LOCAL = join(import.meta.dirname, '../../../config/local.toml')

/** Permissions of everybody. */
const OTHERS = 0o007

const check: Check = {
  name: 'secret files',
  async run({ config, env, strict }) {
    const fromEnvironment = configKeys
      .filter(({ secret }) => secret)
      .map(({ variable }) => env[`${variable}_FILE`])
    const files = [...fromEnvironment, config.database.tls_key_file, LOCAL].filter(
      (file) => file !== undefined,
    )
    const findings = await Promise.all(
      files.map(async (file) => {
        const found = await stat(file).catch(() => undefined)
        if (found === undefined || (found.mode & OTHERS) === 0) return []
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
