import { execFileSync, spawnSync } from 'node:child_process'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { eventually } from './eventually.ts'
import { freePort } from './free-port.ts'
import { call } from './http.ts'
import { startProcess } from './process.ts'

const CONFIG = join(import.meta.dirname, '../../deploy/proxy/nginx.conf')

const isMissing = ['nginx', 'openssl'].some((name) => spawnSync(name, ['-v']).error !== undefined)

/** Why tests that need nginx are skipped; false where it is. */
export const WITHOUT_NGINX: string | false = isMissing ? 'nginx or openssl is not installed' : false

/** The nginx that we ship, before instances of a test. */
export interface ShippedNginx {
  /** By TLS, by plain HTTP, and where only redirections are. */
  readonly tls: string
  readonly plain: string
  readonly redirecting: string
  readonly certificate: Buffer
  /** Complaints of nginx so far. */
  readonly errors: () => string
}

/**
 * Starts nginx with the configuration that we ship: other places, and a port without TLS for the traffic. It ends with `t`.
 *
 * @param instances URLs of two
 * @param files the directory of the instances' files
 */
export async function startShippedNginx(
  t: Test,
  instances: readonly [string, string],
  { files = '/nowhere' } = {},
): Promise<ShippedNginx> {
  const folder = await mkdtemp(join(tmpdir(), 'nginx-'))
  t.teardown(() => rm(folder, { recursive: true }))
  // It serves as another user when it is started by root.
  await chmod(folder, 0o777)
  const keys = ['-keyout', join(folder, 'key.pem'), '-out', join(folder, 'certificate.pem')]
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...keys, ...subject], {
    stdio: 'pipe',
  })
  const [tls, plain, redirecting] = [await freePort(), await freePort(), await freePort()]
  const places: readonly (readonly [string, string])[] = [
    ['listen 8080 default_server', `listen 127.0.0.1:${redirecting} default_server`],
    ['listen 8443 ssl http2 default_server', `listen 127.0.0.1:${tls} ssl http2; listen 127.0.0.1:${plain}`],
    ['web-1:8080', new URL(instances[0]).host],
    ['web-2:8080', new URL(instances[1]).host],
    ['/run/secrets/tls_certificate', join(folder, 'certificate.pem')],
    ['/run/secrets/tls_key', join(folder, 'key.pem')],
    ['alias /files/', `alias ${files}/`],
  ]
  // First, for the folder may itself be below /tmp.
  let config = (await readFile(CONFIG, 'utf8')).replaceAll('/tmp/', `${folder}/`)
  for (const [ours, here] of places) {
    t.ok(config.includes(ours), `${ours} is there`)
    config = config.replaceAll(ours, here)
  }
  const file = join(folder, 'nginx.conf')
  // Where files are handed over, nginx is of the service's group.
  if (userInfo().uid === 0 && files !== '/nowhere') config = `user root;\n${config}`
  await writeFile(file, config)

  const check = startProcess(t, 'nginx', ['-t', '-c', file])
  t.match(await check.exited, { code: 0 }, check.stderr())
  const nginx = startProcess(t, 'nginx', ['-c', file, '-g', 'daemon off;'])
  await eventually(async () => {
    if (nginx.child.exitCode !== null) throw new Error(`nginx has ended: ${nginx.stderr()}`)
    return call(`http://127.0.0.1:${redirecting}/`).then(
      () => true,
      () => false,
    )
  })
  return {
    tls: `https://localhost:${tls}`,
    plain: `http://127.0.0.1:${plain}`,
    redirecting: `http://127.0.0.1:${redirecting}`,
    certificate: await readFile(join(folder, 'certificate.pem')),
    errors: nginx.stderr,
  }
}
