/**
 * Runs an image as an orchestrator would, without a container engine: `node deploy/try-image.ts ROOTFS IMAGE.json`.
 * ROOTFS is the image's unpacked root file system, which is changed; IMAGE.json what `buildah inspect --type image`
 * says of it. Needs root on Linux, and starts a PostgreSQL of its own. Exits with 1 when the image is not
 * as it should be, with 2 when it can't be tried here.
 */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startEmbeddedPostgres } from '#lib/embedded-postgres/embedded-postgres.ts'
import { checkConfig, checkSize, type ImageConfig } from './image-config.ts'

/** Tasks of a container engine that this does not imitate. */
const NOT_TRIED = [
  "the engine's own: seccomp and AppArmor profiles, cgroup limits, its network, the interval of the health check",
  'pulling and pushing; processors other than that of this machine',
]

/** Milliseconds that the service has to become ready, on a machine that may be busy. */
const START = 120_000

/** The root file system is read-only, /tmp is not, and there is nothing to gain by any program in it. */
const MOUNTS = `
set -e
mount --make-rprivate /
mount --bind "$ROOTFS" "$ROOTFS"
mount --rbind /dev "$ROOTFS/dev"
mount -t proc proc "$ROOTFS/proc"
mount -t tmpfs tmpfs "$ROOTFS/tmp"
mount --bind -o ro "$SECRETS" "$ROOTFS/run/secrets"
mount -o remount,bind,ro "$ROOTFS"
exec setpriv --no-new-privs unshare --root="$ROOTFS" --wd="$WORKDIR" --setgid="$GID" --setuid="$UID_" -- "$@"
`

const problems: string[] = []

function expect(isSo: boolean, what: string): void {
  process.stdout.write(`${isSo ? 'ok    ' : 'NOT OK'} ${what}\n`)
  if (!isSo) problems.push(what)
}

/** Runs a command of the image in namespaces of its own, so that it is process 1 as in a container. */
function run(rootfs: string, { Env, User, WorkingDir }: ImageConfig, secrets: string, command: string[]) {
  const [uid = '', gid = uid] = User.split(':')
  const variables = Object.fromEntries(Env.map((pair) => pair.split(/=(.*)/s, 2)))
  const env = {
    ...variables,
    // Our own programs are not where the image has its.
    PATH: `${process.env['PATH']}:${variables['PATH']}`,
    ROOTFS: rootfs,
    SECRETS: secrets,
    WORKDIR: WorkingDir,
    UID_: uid,
    GID: gid,
    APP_DATABASE__URL_FILE: '/run/secrets/database_url',
    APP_JWT__SECRET_FILE: '/run/secrets/jwt_secret',
    APP_SERVER__HOST: '127.0.0.1',
    APP_SERVER__PORT: PORT,
  }
  const args = ['--mount', '--pid', '--fork', '--kill-child', 'sh', '-c', MOUNTS, 'sh', ...command]
  const child = spawn('unshare', args, { env, stdio: ['ignore', 'pipe', 'inherit'] })
  let log = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    log += text
  })
  const exited = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  return { child, exited, log: () => log }
}

/** The status of an answer; 0 when there is none. */
async function ask(path: string, init: RequestInit = {}): Promise<number> {
  try {
    const response = await fetch(`http://127.0.0.1:${PORT}${path}`, {
      ...init,
      signal: AbortSignal.timeout(10_000),
    })
    await response.body?.cancel()
    return response.status
  } catch {
    return 0
  }
}

async function waitUntilReady(isOver: () => boolean): Promise<boolean> {
  for (const deadline = Date.now() + START; Date.now() < deadline && !isOver(); await sleep(100)) {
    if ((await ask('/ready')) === 200) return true
  }
  return false
}

/** A field of the kernel's description of a process. */
function statusOf(pid: string, name: string): string {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return new RegExp(`^${name}:\\s+(.*)$`, 'm').exec(status)?.[1] ?? ''
}

async function tryService(rootfs: string, config: ImageConfig, secrets: string): Promise<void> {
  const service = run(rootfs, config, secrets, config.Cmd)
  try {
    let isOver = false
    void service.exited.finally(() => {
      isOver = true
    })
    expect(await waitUntilReady(() => isOver), 'it becomes ready')
    expect((await ask('/live')) === 200, '/live is 200')
    expect((await ask('/docs')) === 404, 'it is configured for production: no /docs')
    const body = { email: 'ada@example.com', username: 'ada', password: 'correct horse battery staple' }
    const headers = { 'content-type': 'application/json' }
    const registered = await ask('/api/v1/users', { method: 'POST', headers, body: JSON.stringify(body) })
    expect(registered === 202, `somebody can register: ${registered}`)

    const [pid = ''] = readFileSync(
      `/proc/${service.child.pid}/task/${service.child.pid}/children`,
      'utf8',
    ).split(' ')
    expect(statusOf(pid, 'NSpid').endsWith('\t1'), 'Node is process 1, so signals reach it')
    expect(statusOf(pid, 'Uid').startsWith('10001\t10001'), 'it is user 10001')
    expect(/^0+$/.test(statusOf(pid, 'CapEff')), 'it has no capabilities')
    expect(statusOf(pid, 'NoNewPrivs') === '1', 'it ran with no new privileges')
    const root = readFileSync(`/proc/${pid}/mountinfo`, 'utf8')
      .split('\n')
      .find((line) => line.split(' ')[4] === '/')
    expect(/^\S+ \S+ \S+ \S+ \S+ ro\b/.test(root ?? ''), 'its root file system is read-only')
    process.stdout.write(
      `       resident memory ${statusOf(pid, 'VmRSS')}, at most ${statusOf(pid, 'VmHWM')}\n`,
    )

    const [, ...probe] = config.Healthcheck?.Test ?? []
    expect(
      (await run(rootfs, config, secrets, probe).exited) === 0,
      `the health check passes: ${probe.join(' ')}`,
    )

    process.kill(Number(pid), 'SIGTERM')
    expect((await service.exited) === 0, 'SIGTERM ends it with exit code 0')
    expect(!/"level":"(error|fatal)"/.test(service.log()), 'its log has no error')
    expect((await run(rootfs, config, secrets, probe).exited) === 1, 'and now the health check fails')
  } finally {
    service.child.kill('SIGKILL')
  }
  if (problems.length > 0) process.stdout.write(service.log())
}

async function main(rootfs: string, image: string): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'try-image-'))
  const postgres = await startEmbeddedPostgres({ directory: join(directory, 'postgres') })
  try {
    const secrets = join(directory, 'secrets')
    mkdirSync(secrets)
    writeFileSync(join(secrets, 'database_url'), postgres.url)
    writeFileSync(join(secrets, 'jwt_secret'), randomBytes(48).toString('base64'))
    chmodSync(directory, 0o755)
    for (const path of ['dev', 'proc', 'tmp', 'run/secrets'])
      mkdirSync(join(rootfs, path), { recursive: true })

    const { Docker }: { Docker: { config: ImageConfig } } = JSON.parse(readFileSync(image, 'utf8'))
    const { config } = Docker
    for (const { isSo, what } of [...checkConfig(config), checkSize(rootfs)]) expect(isSo, what)
    await tryService(rootfs, config, secrets)
  } finally {
    await postgres.stop()
    rmSync(directory, { recursive: true })
  }
  for (const what of NOT_TRIED) process.stdout.write(`not tried: ${what}\n`)
  process.stdout.write(`${problems.length} problems found\n`)
  process.exitCode = problems.length === 0 ? 0 : 1
}

/** One that is likely to be free; the service says when it is not. */
const PORT = String(20_000 + (process.pid % 10_000))

const [, , rootfs, image] = process.argv
if (rootfs === undefined || image === undefined || process.getuid?.() !== 0) {
  process.stderr.write('usage, as root on Linux: node deploy/try-image.ts ROOTFS IMAGE.json\n')
  process.exitCode = 2
} else {
  await main(rootfs, image)
}
