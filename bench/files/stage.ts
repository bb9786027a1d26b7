import { spawnSync } from 'node:child_process'
import { randomFillSync } from 'node:crypto'
import { mkdir, open, writeFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { freePort } from '#lib/embedded-postgres/server.ts'
import { type BenchPostgres, withClient } from '../environment/database.ts'
import { startService } from '../environment/service.ts'
import { createAudience } from '../realtime/stage.ts'
import { type ServerProcess, startServer } from '../system/server-process.ts'

const PREFIX = '/stored-files/'

/** Servers and what they are sent. */
export interface FilesStage {
  /** The service, with files in a directory. */
  readonly service: ServerProcess
  /** nginx before the service; it sends contents itself. Undefined where there is no nginx. */
  readonly front: ServerProcess | undefined
  /** nginx that takes uploads by WebDAV and sends files. */
  readonly nginx: ServerProcess | undefined
  readonly tusd: ServerProcess | undefined
  readonly postgres: Pick<BenchPostgres, 'usage'>
  /** Has PostgreSQL look at its tables, as it does by itself when they have been there for a minute. */
  analyze(): Promise<void>
  readonly token: string
  /** An organization that the token's user is a member of. */
  readonly org: string
  /** A file with bytes that nobody could make smaller. */
  readonly source: string
  readonly bytes: number
  readonly rounds: number
  stop(): Promise<void>
}

interface Options {
  readonly directory: string
  readonly databaseUrl: string
  readonly postgres: Pick<BenchPostgres, 'usage'>
  readonly mebibytes: number
  readonly rounds: number
}

const isThere = (name: string, flag: string) => spawnSync(name, [flag]).error === undefined

/** Starts the service, and beside it what is on the PATH. */
export async function startFilesStage({
  directory,
  databaseUrl,
  postgres,
  mebibytes,
  rounds,
}: Options): Promise<FilesStage> {
  const files = join(directory, 'files')
  const {
    tokens: [token = ''],
    org,
  } = await createAudience(databaseUrl, 1)
  const env = {
    APP_FILES__STORE: 'local',
    APP_FILES__DIRECTORY: files,
    APP_FILES__ACCEL_PREFIX: PREFIX,
    APP_FILES__MAX_SIZE: '64GiB',
    APP_FILES__QUOTA_PER_USER: '1024GiB',
    APP_FILES__THUMBNAILS__ENABLED: 'false',
  }
  const service = await startService({ name: 'files', directory, databaseUrl, env })
  const started: ServerProcess[] = [service]
  const add = (server: ServerProcess) => {
    started.push(server)
    return server
  }
  const hasNginx = isThere('nginx', '-v')
  return {
    service,
    front: hasNginx ? add(await startNginx(directory, 'front', frontOf(service.origin, files))) : undefined,
    nginx: hasNginx ? add(await startNginx(directory, 'dav', DAV)) : undefined,
    tusd: isThere('tusd', '-version') ? add(await startTusd(directory)) : undefined,
    postgres,
    async analyze() {
      await withClient(databaseUrl, (client) => client.query('VACUUM (ANALYZE)'))
    },
    token,
    org,
    source: await makeSource(directory, mebibytes),
    bytes: mebibytes * 1024 * 1024,
    rounds,
    async stop() {
      for (const server of started.reverse()) await server.stop()
    },
  }
}

async function makeSource(directory: string, mebibytes: number): Promise<string> {
  const path = join(directory, 'source')
  const file = await open(path, 'w')
  const piece = Buffer.alloc(1024 * 1024)
  for (let n = 0; n < mebibytes; n++) await file.write(randomFillSync(piece))
  await file.close()
  return path
}

async function startTusd(directory: string): Promise<ServerProcess> {
  const port = await freePort()
  const folder = join(directory, 'tusd')
  await mkdir(folder)
  const args = ['-host', '127.0.0.1', '-port', String(port), '-upload-dir', folder]
  return startServer({
    ...{ name: 'tusd', directory, command: 'tusd', args },
    ...{ cwd: directory, env: () => ({}), port, readyPath: '/metrics' },
  })
}

const DAV = `location / {
  root ROOT;
  client_body_temp_path ROOT/.temporary;
  dav_methods PUT DELETE;
  create_full_put_path on;
  client_max_body_size 0;
}`

/** As deploy/proxy/nginx.conf has it. */
const frontOf = (origin: string, files: string) => `location / {
  proxy_pass ${origin};
  proxy_http_version 1.1;
  proxy_set_header Connection "";
  proxy_set_header X-Accel-Prefix ${PREFIX};
}
location ${PREFIX} { internal; alias ${files}/; etag off; add_header ETag $upstream_http_etag; }`

async function startNginx(directory: string, name: string, location: string): Promise<ServerProcess> {
  const port = await freePort()
  const root = join(directory, name)
  await mkdir(join(root, '.temporary'), { recursive: true })
  const temporary = ['proxy', 'fastcgi', 'uwsgi', 'scgi', 'client_body']
    .map((kind) => `${kind}_temp_path ${root}/.${kind};`)
    .join('\n')
  // It works as another user otherwise when it is started by root, who alone may read here.
  const user = userInfo().uid === 0 ? 'user root;' : ''
  const config = `${user} daemon off; worker_processes 1; pid ${root}/.pid; error_log stderr; events {}
    http { access_log off; sendfile on; tcp_nopush on; ${temporary}
      server { listen 127.0.0.1:${port};
        location = /ready { return 204; }
        ${location.replaceAll('ROOT', root)} } }`
  await writeFile(join(root, '.conf'), config)
  const args = ['-e', 'stderr', '-c', join(root, '.conf')]
  return startServer({
    ...{ name, directory, command: 'nginx', args, cwd: directory, env: () => ({}) },
    ...{ port, readyPath: '/ready' },
  })
}
