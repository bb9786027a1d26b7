import t from 'tap'
import { parseArguments } from '#bench/arguments.ts'

t.test('without options everything runs', async (t) => {
  t.same(parseArguments([]), {
    quick: false,
    scenarios: [],
    rounds: 5,
    seconds: 10,
    warmUp: 5,
    connections: 64,
    generator: undefined,
    env: {},
    targets: [],
    guest: undefined,
    output: undefined,
  })
})

t.test('options', async (t) => {
  const args = [
    '--quick',
    '--scenario',
    '2,3',
    '--scenario',
    '5',
    '--rounds',
    '7',
    '--env',
    'APP_LOG__LEVEL=warn',
  ]
  t.match(parseArguments(args), {
    quick: true,
    scenarios: [2, 3, 5],
    rounds: 7,
    seconds: 1,
    env: { APP_LOG__LEVEL: 'warn' },
  })
  const guest = ['--url', 'http://127.0.0.1:3000/', '--name', 'axum', '--pid', '42', '--target', 'a.json']
  t.match(parseArguments(guest), {
    guest: { url: 'http://127.0.0.1:3000', name: 'axum', pid: 42 },
    targets: ['a.json'],
  })
  t.match(parseArguments(['--url', 'http://127.0.0.1:3000']), { guest: { name: '127.0.0.1:3000' } })
  t.match(parseArguments(['--env', 'A=b=c']), { env: { A: 'b=c' } }, 'a value may hold the sign')
})

t.test('what is wrong is said', async (t) => {
  const cases: [string[], RegExp][] = [
    [['--fast'], /Unknown option/],
    [['more'], /positional/],
    [['--rounds', '0'], /--rounds takes a whole number/],
    [['--scenario', '1,x'], /--scenario takes/],
    [['--generator', 'ab'], /wrk or autocannon/],
    [['--env', 'KEY'], /KEY=value/],
    [['--url', 'localhost:3000'], /--url is/],
    [['--name', 'axum'], /go with --url/],
  ]
  for (const [args, message] of cases) t.throws(() => parseArguments(args), message, args.join(' '))
})
