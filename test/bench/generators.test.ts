import t from 'tap'
import { parseAutocannon } from '#bench/load/autocannon.ts'
import { luaRequests, parseWrk, threadsFor } from '#bench/load/wrk.ts'

t.test('both generators give the same shape', async (t) => {
  const summary = {
    requests: 1000,
    duration_us: 2_000_000,
    p50_us: 1500,
    p99_us: 9000,
    status: 10,
    connect: 1,
    read: 2,
    write: 0,
    timeout: 4,
  }
  const expected = { requests: 990, seconds: 2, p50: 1.5, p99: 9, refused: 10, errors: 7 }
  t.same(parseWrk(`Running 2s test @ http://127.0.0.1\n  8 threads\n${JSON.stringify(summary)}\n`), expected)
  t.throws(() => parseWrk('unable to connect'), /unable to connect/)
  const result = {
    '2xx': 980,
    '3xx': 10,
    '4xx': 4,
    '5xx': 6,
    duration: 2,
    errors: 7,
    latency: { p50: 1.5, p99: 9 },
  }
  t.same(parseAutocannon(result), expected)
})

t.test('requests in Lua keep every byte', async (t) => {
  const request = {
    method: 'POST',
    path: '/a?b="c"',
    headers: { 'x-text': 'back\\slash' },
    body: '{"name":"Zoë\n"}',
  }
  const lua = luaRequests([request, { method: 'GET', path: '/', headers: {} }])
  t.equal(
    lua,
    'return {\n' +
      '{method="POST",path="/a?b=\\034c\\034",headers={["x-text"]="back\\092slash"},' +
      'body="{\\034name\\034:\\034Zo\\195\\171\\010\\034}"},\n' +
      '{method="GET",path="/",headers={}}\n}\n',
  )
})

t.test('the generator leaves the cores to the server', async (t) => {
  t.equal(threadsFor(2, 64), 1)
  t.equal(threadsFor(16, 64), 4)
  t.equal(threadsFor(64, 2), 2, 'a thread needs a connection')
})
