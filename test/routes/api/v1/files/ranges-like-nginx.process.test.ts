import { spawnSync } from 'node:child_process'
import { chmod, mkdir, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { amount } from '#test/support/amount.ts'
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

const position = fc.oneof(fc.integer({ min: 0, max: 320 }), fc.constantFrom(0, 1, 299, 300, 301, 10 ** 12))

/** Ranges that are well formed; what to make of others, the standard leaves open, and nginx refuses them. */
const range = fc.oneof(
  position.map((start) => `bytes=${start}-`),
  fc.tuple(position, position).map(([a, b]) => `bytes=${Math.min(a, b)}-${Math.max(a, b)}`),
  position.map((length) => `bytes=-${length}`),
)

/** In place of ETAG stands the tag that each of them has. */
const tag = fc.constantFrom('ETAG', '"another"', 'ETAG, "another"', '*')
const date = fc.constantFrom(-3600, -1, 0, 1, 3600)

const one = (name: string, value: fc.Arbitrary<string | number>) => value.map((given) => ({ [name]: given }))
const none = fc.constant({})

/**
 * A header about tags and one about times at once are left out: the one about tags counts alone (RFC 9110 section
 * 13.2.2), and nginx wants both.
 */
const conditions = fc
  .tuple(
    fc.oneof(none, one('range', range)),
    fc.oneof(none, one('if-range', fc.oneof(fc.constantFrom('ETAG', '"another"'), date))),
    fc.oneof(none, one('if-match', tag), one('if-unmodified-since', date)),
    fc.oneof(none, one('if-none-match', tag), one('if-modified-since', date)),
  )
  .map((parts): Record<string, string | number> => Object.assign({}, ...parts))

t.test('ranges and conditions are answered as nginx answers them', { skip }, async (t) => {
  const { app, request, signUp } = await createTestApp(t)
  const as = await signUp()
  const url = `${await createFullFile(app, as, CONTENT, { name: 'file.txt' })}/content`
  const { headers: own } = await request({ url, as })
  const written = new Date(String(own['last-modified']))
  const nginx = await startNginx(t, CONTENT, written)
  const theirs = await call(nginx)

  const filled = (given: Record<string, string | number>, etag: unknown) =>
    Object.fromEntries(
      Object.entries(given).map(([name, value]) => {
        if (typeof value === 'string') return [name, value.replace('ETAG', String(etag))]
        return [name, new Date(written.getTime() + value * 1000).toUTCString()]
      }),
    )
  for (const given of fc.sample(conditions, { numRuns: RUNS, seed: 1 })) {
    const expected = await call(nginx, { headers: filled(given, theirs.headers.etag) })
    const found = await request({ url, headers: filled(given, own.etag), as })
    const seen = { status: found.statusCode, range: found.headers['content-range'] }
    t.same(seen, { status: expected.status, range: expected.headers['content-range'] }, JSON.stringify(given))
    if (expected.status < 300) t.equal(found.body, expected.text)
  }
})
