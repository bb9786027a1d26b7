/**
 * Has the cases of the Autobahn test suite tried on the service's WebSocket, by their runner for Python 3 (decision 098). It
 * downloads that, so it is part of npm run test:clients; alone it is npm run test:autobahn.
 */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { type RawData, WebSocketServer } from 'ws'
import { createTestApp } from '#test/support/helper.ts'
import { realtimeUrl } from '#test/support/realtime.ts'

t.setTimeout(1_200_000)

const MAIN = join(import.meta.dirname, 'python-autobahn/main.py')
const RUNNER = 'kosoku==0.1.0'
const run = promisify(execFile)

/** Messages larger than a frame may be here, and in more parts than it may have; and compression. */
const BEYOND = { limits: '9.1.*,9.2.*,9.3.*,9.4.*,9.5.*,9.6.*', compression: '12.*,13.*' }

interface Outcome {
  readonly id: string
  readonly behavior: string
  readonly close: string
  /** Code by which the service closed. */
  readonly code: number | null
  /** Whether a message is to be sent back. */
  readonly is_echoed: boolean
}

/** Installs the runner into a folder of the test; returns Python, or why it can't be had. */
async function installRunner(t: Test): Promise<{ python: string; missing: string | false }> {
  const directory = join(t.testdir({}), 'venv')
  const python = join(directory, 'bin/python')
  try {
    await run('python3', ['-m', 'venv', directory])
    await run(python, ['-m', 'pip', 'install', '--quiet', RUNNER])
    return { python, missing: false }
  } catch (error) {
    return {
      python,
      missing: `${RUNNER} can't be installed: ${error instanceof Error ? error.message : error}`,
    }
  }
}

const { python, missing } = await installRunner(t)

async function tryCases(url: string, wanted: string, unwanted = ''): Promise<Outcome[]> {
  const { stdout } = await run(python, [MAIN, url, wanted, unwanted], { maxBuffer: 2 ** 26 })
  const lines = stdout.split('\n').filter((line) => line.startsWith('{'))
  return lines.map((line): Outcome => JSON.parse(line))
}

const PASSED = new Set(['OK', 'NON-STRICT', 'INFORMATIONAL'])
const hasPassed = ({ behavior, close }: Outcome) => PASSED.has(behavior) && PASSED.has(close)
const show = ({ id, behavior, close, code }: Outcome) => `${id}: ${behavior}, closed: ${close} ${code}`

/** Has the service's WebSockets send back what comes, in place of speaking the protocol of realtime. */
function echoInstead(t: Test): void {
  const { handleUpgrade } = WebSocketServer.prototype
  WebSocketServer.prototype.handleUpgrade = function (request, socket, head) {
    handleUpgrade.call(this, request, socket, head, (opened) => {
      opened.on('error', () => undefined)
      opened.on('message', (data: RawData, isBinary: boolean) => opened.send(data, { binary: isBinary }))
    })
  }
  t.teardown(() => {
    WebSocketServer.prototype.handleUpgrade = handleUpgrade
  })
}

t.test('the Autobahn test suite', { skip: missing }, async (t) => {
  const { app } = await createTestApp(t)
  const url = await realtimeUrl(app)

  await t.test('and realtime, as far as nothing has to be sent back', async (t) => {
    const outcomes = await tryCases(url, '', `${BEYOND.limits},${BEYOND.compression},9.7.*,9.8.*,10.*`)
    const [asked, silent] = [true, false].map((echoed) =>
      outcomes.filter(({ is_echoed }) => is_echoed === echoed),
    )
    t.ok(silent && silent.length > 100, `${silent?.length} cases`)
    t.same(silent?.filter((outcome) => !hasPassed(outcome)).map(show), [])
    // Messages that are not commands end the connection, unless the frames were wrong or too large already.
    const codes = new Set(asked?.map(({ code }) => code))
    for (const code of codes) t.ok([null, 1002, 1003, 1007, 1009, 3501].includes(code), `closed with ${code}`)
    t.equal(app.realtimeHub?.peers.size, 0)
  })

  await t.test('and its WebSocket, with an echo behind it', async (t) => {
    echoInstead(t)
    const outcomes = await tryCases(url, '', `${BEYOND.limits},${BEYOND.compression}`)
    t.ok(outcomes.length > 200, `${outcomes.length} cases`)
    t.same(outcomes.filter((outcome) => !hasPassed(outcome)).map(show), [])
  })

  await t.test('and what is beyond its limits', async (t) => {
    echoInstead(t)
    const outcomes = await tryCases(url, BEYOND.limits)
    t.ok(outcomes.length > 30)
    for (const outcome of outcomes)
      t.ok(hasPassed(outcome) || outcome.code === 1009 || outcome.code === 1008, show(outcome))
  })

  await t.test('and compression, which is not offered', async (t) => {
    const outcomes = await tryCases(url, '12.1.1,13.1.1')
    t.same(new Set(outcomes.map(({ behavior }) => behavior)), new Set(['UNIMPLEMENTED']))
  })
})
