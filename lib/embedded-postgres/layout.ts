import { existsSync } from 'node:fs'
import { access, constants, mkdir, realpath } from 'node:fs/promises'
import { join } from 'node:path'

/** Where the parts of one embedded server lie. */
export interface Layout {
  /** The absolute path of the whole, free of symbolic links. */
  readonly directory: string
  /** PostgreSQL's own data directory. */
  readonly cluster: string
  /** The superuser's password; mode 0600. */
  readonly password: string
  /** Output of the server of the last start. */
  readonly log: string
  /** Held while a process starts or stops the server. */
  readonly lock: string
}

/**
 * Makes the directory when it is missing and names what lies in it.
 *
 * @throws the system's error with the path when this user may not write there; what comes later would not name it.
 */
export async function openLayout(path: string): Promise<Layout> {
  await mkdir(path, { recursive: true, mode: 0o700 })
  const directory = await realpath(path)
  await access(directory, constants.R_OK | constants.W_OK | constants.X_OK)
  const lock = join(directory, 'lock')
  if (existsSync(lock)) await access(lock, constants.R_OK | constants.W_OK)
  return {
    directory,
    cluster: join(directory, 'cluster'),
    password: join(directory, 'password'),
    log: join(directory, 'server.log'),
    lock,
  }
}
