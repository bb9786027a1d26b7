import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { startProcess } from '#test/support/process.ts'

t.test('a tiny run of one scenario, with what comes with the dependencies', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'bench-'))
  t.teardown(() => rm(directory, { recursive: true, force: true }))
  const options = ['--scenario', '1', '--rounds', '1', '--seconds', '1', '--connections', '4']
  const { exited, stdout, stderr } = startProcess(t, process.execPath, [
    'bench/bench.ts',
    '--quick',
    '--generator',
    'autocannon',
    '--output',
    directory,
    ...options,
  ])
  const { code } = await exited
  t.equal(code, 0, stderr())
  t.match(stdout(), /GET \/live\n.*requests\/s.*\ngroundwork .*\nbare node:http /)
  t.match(stdout(), /\/live \/ bare node:http +at least 0\.75/)

  const results = JSON.parse(await readFile(join(directory, 'latest.json'), 'utf8'))
  t.match(results, {
    machine: { generator: /^autocannon \d/, postgres: /^\d/ },
    options: { rounds: 1, seconds: 1, connections: 4 },
    scenarios: [
      {
        id: 1,
        contestants: [
          { name: 'groundwork', failed: 0 },
          { name: 'bare node:http', failed: 0 },
        ],
      },
    ],
  })
  for (const { requests_per_second, p99 } of results.scenarios[0].contestants) {
    t.ok(requests_per_second.median > 0)
    t.ok(p99.median > 0)
  }
  t.match(await readFile(join(directory, 'live.svg'), 'utf8'), '>groundwork</text>')
})

t.test('unknown arguments', async (t) => {
  for (const program of ['bench/bench.ts', 'bench/overload.ts']) {
    const { exited, stderr } = startProcess(t, process.execPath, [program, '--fast'])
    t.same(await exited, { code: 2, signal: null })
    t.match(stderr(), 'Usage: npm run bench')
  }
})
