import { spawnSync } from 'node:child_process'
import { chmod, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { runReadme } from '#test/docs/readme-lines.ts'
import { createTestDatabase } from '#test/support/database.ts'
import { eventually } from '#test/support/eventually.ts'
import { freePort } from '#test/support/free-port.ts'
import { call, signUpRemote } from '#test/support/http.ts'
import { startProcess, startService } from '#test/support/process.ts'

const isMissing = (name: string, flag: string) => spawnSync(name, [flag]).error !== undefined
const skip = isMissing('nginx', '-v') ? 'nginx is not installed' : false

/** As people configure it: compressing, with a prefix that it takes away, by HTTP/1.0 or with chunks. */
function configuration(folder: string, port: number, service: string): string {
  const compress = 'gzip on; gzip_min_length 1; gzip_types *; gzip_proxied any;'
  return `
daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log stderr warn;
events {}
http {
  access_log off;
  underscores_in_headers on;
  client_body_temp_path ${folder}/client_body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  server {
    listen 127.0.0.1:${port};
    ${compress}
    location /prefix/ {
      proxy_pass ${service}/;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    }
    location /streamed/ {
      proxy_pass ${service}/;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_request_buffering off;
      proxy_buffering off;
      proxy_set_header X-Forwarded-For "$http_x_forwarded_for, $remote_addr:$remote_port";
    }
  }
}
`
}

async function startNginx(t: Test, port: number, service: string): Promise<string> {
  const folder = t.testdir({})
  // It serves as another user when root starts it.
  await chmod(folder, 0o777)
  const file = join(folder, 'nginx.conf')
  await writeFile(file, configuration(folder, port, service))
  const nginx = startProcess(t, 'nginx', ['-c', file])
  const url = `http://127.0.0.1:${port}`
  await eventually(async () => {
    if (nginx.child.exitCode !== null) throw new Error(`nginx has ended: ${nginx.stderr()}`)
    return call(`${url}/prefix/live`).then(
      ({ status }) => status === 200,
      () => false,
    )
  })
  return url
}

/** The status of a POST whose body comes in chunks, here none. */
function postChunks(url: string, headers: Record<string, string>): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      url,
      { method: 'POST', headers: { ...headers, 'transfer-encoding': 'chunked' } },
      (response) => {
        response.resume()
        resolve(response.statusCode)
      },
    )
    outgoing.once('error', reject)
    outgoing.end()
  })
}

t.test('behind nginx with compression and a prefix', { skip }, async (t) => {
  const { url: database } = await createTestDatabase(t)
  const port = await freePort()
  const service = await startService(t, {
    APP_DATABASE__URL: database,
    APP_SERVER__TRUSTED_PROXIES: '127.0.0.1',
    APP_SERVER__PUBLIC_URL: `http://127.0.0.1:${port}/prefix`,
  })
  const nginx = await startNginx(t, port, service.url)

  for (const place of ['prefix', 'streamed']) {
    const base = `${nginx}/${place}`
    const user = await signUpRemote(base)
    const bearer = { authorization: `Bearer ${user.token}` }
    const me = `${base}/api/v1/users/me`

    await t.test(`${place}: a change and a deletion on the tag that was read`, async (t) => {
      const read = await call(me, { headers: { ...bearer, 'accept-encoding': 'gzip' } })
      t.match(read, { status: 200, headers: { 'content-encoding': 'gzip', etag: /^W\// } })
      const tag = String(read.headers['etag'])
      const known = { ...bearer, 'if-none-match': tag }
      t.equal((await call(me, { headers: known })).status, 304)
      const change = { method: 'PATCH', json: { username: `renamed-${place}` } }
      const changed = await call(me, { ...change, headers: { ...bearer, 'if-match': tag } })
      t.match(changed, { status: 200 })
      t.match(
        await call(me, { ...change, headers: { ...bearer, 'if-match': tag } }),
        { status: 412 },
        'lost update',
      )
      const latest = String(changed.headers['etag'])
      const other = await signUpRemote(base)
      t.match(await call(me, { method: 'DELETE', headers: { ...bearer, 'if-match': tag } }), { status: 412 })
      t.ok(latest)
      t.equal(await postChunks(`${base}/api/v1/auth/logout`, { authorization: `Bearer ${other.token}` }), 204)
    })
  }

  for (const place of ['prefix', 'streamed']) {
    await t.test(`${place}: an upload goes on where Location leads`, async (t) => {
      const { token } = await signUpRemote(`${nginx}/${place}`)
      const headers = { authorization: `Bearer ${token}`, 'tus-resumable': '1.0.0' }
      const begin = { method: 'POST', headers: { ...headers, 'upload-length': '5' } }
      const created = await fetch(`${nginx}/${place}/api/v1/uploads`, begin)
      t.equal(created.status, 201)
      const upload = new URL(created.headers.get('location') ?? '', created.url)
      t.match(upload.pathname, /^\/prefix\/api\/v1\/uploads\//)
      const part = { ...headers, 'upload-offset': '0', 'content-type': 'application/offset+octet-stream' }
      const sent = await fetch(upload, { method: 'PATCH', headers: part, body: 'bytes' })
      t.equal(sent.status, 204)
    })
  }

  await t.test('the log has the client, whatever form the proxy writes', async (t) => {
    const headers = {
      'x-request-id': 'named-client',
      'x-forwarded-for': '127.0.0.1, [2001:db8::7]:443, 127.0.0.1:80',
    }
    await call(`${nginx}/streamed/api/v1/users/me`, { headers })
    const line = () => service.logs().find((record) => record['request_id'] === 'named-client')
    await eventually(async () => line() !== undefined)
    t.match(line(), { remote_address: '2001:db8::7' })
  })

  await t.test('Location leads to what was created', async (t) => {
    const created = await call(`${nginx}/prefix/api/v1/users`, {
      method: 'POST',
      json: { email: 'grace@example.com', username: 'grace', password: 'correct horse battery' },
    })
    t.match(created, { status: 201, headers: { location: /^\/prefix\/api\/v1\/users\// } })
  })

  await t.test('Swagger UI and the pages load everything they name', async (t) => {
    for (const page of [
      'docs',
      'docs/',
      'docs?a=1',
      'docs/?a=1',
      'docs/static/index.html',
      'account/verify-email',
      'dev/mail',
    ]) {
      const answer = await fetch(`${nginx}/prefix/${page}`)
      t.equal(answer.status, 200, page)
      t.match(answer.url, `${nginx}/prefix/`, 'not past the prefix')
      const links = [...(await answer.text()).matchAll(/(?:src|href)="([^"#]+)"/g)].map(
        ([, link = '']) => link,
      )
      if (page.startsWith('docs')) t.ok(links.length >= 5, page)
      for (const link of links.filter((text) => !text.startsWith('data:'))) {
        const { status, url } = await fetch(new URL(link, answer.url))
        t.equal(status, 200, `${page}: ${url}`)
      }
    }
    const document = await call(`${nginx}/prefix/docs/json`)
    t.equal(document.status, 200)
    t.equal((await call(`${nginx}/prefix/.well-known/jwks.json`)).status, 200)
  })

  const noCurl = isMissing('curl', '--version') ? 'curl is not installed' : false
  await t.test('the lines of README.md', { skip: noCurl }, async (t) => {
    await runReadme(t, `${nginx}/prefix`)
  })
})
