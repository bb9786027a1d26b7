import { globSync, lstatSync } from 'node:fs'
import { join } from 'node:path'

/** The part of an image's description, in Docker's form, that says what runs in a container. */
export interface ImageConfig {
  User: string
  Env: string[]
  Cmd: string[]
  WorkingDir: string
  Entrypoint?: string[] | null
  Healthcheck?: { Test: string[] }
  Labels?: Record<string, string>
}

/** Something that was looked at. */
export interface Finding {
  isSo: boolean
  what: string
}

/** MiB that the service and its packages may add to the base. */
const LIMIT = 80

const LABELS = ['title', 'description', 'licenses', 'version', 'revision']

/** Looks at what the image says of itself. */
export function checkConfig(config: ImageConfig): Finding[] {
  const labels = LABELS.filter((name) => !config.Labels?.[`org.opencontainers.image.${name}`])
  const secrets = config.Env.filter((variable) =>
    /SECRET|PASSWORD|TOKEN|_KEY|URL/.test(variable.split('=', 1)[0] ?? ''),
  )
  const [kind, program] = config.Healthcheck?.Test ?? []
  return [
    {
      isSo: /^[1-9]\d*:[1-9]\d*$/.test(config.User),
      what: `its user is a number other than root's: ${config.User}`,
    },
    {
      isSo: config.Cmd[0] === 'node' && !config.Entrypoint?.length,
      what: 'its process is Node, without a shell',
    },
    { isSo: kind === 'CMD' && program === 'node', what: 'its health check needs Node only' },
    { isSo: labels.length === 0, what: `it has the labels of OCI ${labels.join(' ')}` },
    { isSo: secrets.length === 0, what: `its variables hold no secret ${secrets.join(' ')}` },
  ]
}

/** Adds up the files of /app, which is all that is put on the base. */
export function checkSize(rootfs: string): Finding {
  const app = join(rootfs, 'app')
  const bytes = globSync('**', { cwd: app }).reduce((sum, path) => sum + lstatSync(join(app, path)).size, 0)
  const size = bytes / 2 ** 20
  return { isSo: size < LIMIT, what: `it adds ${size.toFixed(1)} MiB to the base, less than ${LIMIT}` }
}
