import { spawnSync } from 'node:child_process'
import { chmod, mkdir, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { amount } from '#test/support/amount.ts'
import { conditionsOfReads, filledIn } from '#test/support/conditions.ts'
import { eventually } from '#test/support/eventually.ts'
import { createFullFile } from '#test/support/files.ts'
import { freePort } from '#test/support/free-port.ts'
import { createTestApp } from '#test/support/helper.ts'
import { call } from '#test/support/http.ts'
import { startProcess } from '#test/support/process.ts'

const skip = spawnSync('nginx', ['-v']).error === undefined ? false : 'nginx is not installed'
const RUNS = amount({ few: 500, many: 10_000 })
const CONTENT = Array.from({ length: 300 }, (_, n) => String(n % 10)).join('')

/** Serves a file that was written at a time; returns its URL. */
async function startNginx(t: Test, content: string, written: Date): Promise<string> {
  const folder = t.testdir({})
  // It serves as another user when root starts it.
  await chmod(folder, 0o777)
  const [root, port] = [join(folder, 'root'), await freePort()]
  await mkdir(root)
  await writeFile(join(root, 'file.txt'), content)
  await utimes(join(root, 'file.txt'), written, written)
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${folder}/${name};`)
    .join('\n')
  const config = `daemon off; worker_processes 1; pid ${folder}/pid; error_log stderr warn; events {}
    http { access_log off; ${temporary}
      server { listen 127.0.0.1:${port}; root ${root}; max_ranges 1; if_modified_since before; } }`
  await writeFile(join(folder, 'nginx.conf'), config)
  startProcess(t, 'nginx', ['-e', 'stderr', '-c', join(folder, 'nginx.conf')])
  const url = `http://127.0.0.1:${port}/file.txt`
  await eventually(async () => (await call(url).catch(() => undefined))?.status === 200)
  return url
}

t.test('ranges and conditions are answered as nginx answers them', { skip }, async (t) => {
  const { app, request, signUp } = await createTestApp(t)
  const as = await signUp()
  const url = `${await createFullFile(app, as, CONTENT, { name: 'file.txt' })}/content`
  const { headers: own } = await request({ url, as })
  const written = new Date(String(own['last-modified']))
  const nginx = await startNginx(t, CONTENT, written)
  const theirs = await call(nginx)

  for (const given of fc.sample(conditionsOfReads, { numRuns: RUNS, seed: 1 })) {
    const expected = await call(nginx, { headers: filledIn(given, { etag: theirs.headers.etag, written }) })
    const found = await request({ url, headers: filledIn(given, { etag: own.etag, written }), as })
    const seen = { status: found.statusCode, range: found.headers['content-range'] }
    t.same(seen, { status: expected.status, range: expected.headers['content-range'] }, JSON.stringify(given))
    if (expected.status < 300) t.equal(found.body, expected.text)
  }
})
