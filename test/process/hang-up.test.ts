import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { outlivesTerminal } from '#process/hang-up.ts'

/** A process as Linux shows it. */
interface Shown {
  readonly parent: number
  readonly session: number
  readonly name?: string
  /** The shell's variable `_`. */
  readonly command?: string
  /** Signals that it ignores, in hexadecimal. */
  readonly ignored?: string
  /** How standard input was opened, in octal. */
  readonly flags?: string
  /** Targets of its first descriptors. */
  readonly files?: readonly string[]
}

/** The session of a terminal is its shell's. */
const [SHELL, SELF, TERMINAL] = [100, 300, { parent: 1, session: 100 }]

/** A terminal's shell that runs the service, with other processes between, or others in place of these. */
function family(t: Test, processes: Record<number, Shown>): string {
  const all: Record<number, Shown> = {
    [SHELL]: TERMINAL,
    [SELF]: { parent: SHELL, session: SHELL },
    ...processes,
  }
  const folder = t.testdir(
    Object.fromEntries(
      Object.entries(all).map(
        ([pid, { parent, session, name = 'sh', command, ignored, flags = '0100002' }]) => [
          pid,
          {
            stat: `${pid} (${name}) S ${parent} ${pid} ${session} 34816 0\n`,
            environ: `A=nohup\0${command === undefined ? '' : `_=${command}\0`}B=_=nohup\0`,
            status: `Name:\tsh\nSigBlk:\t0000000000000001\nSigIgn:\t000000000000${ignored ?? '0000'}\nSigCgt:\t0000000000000001\n`,
            fdinfo: { 0: `pos:\t0\nflags:\t${flags}\n` },
            fd: {},
          },
        ],
      ),
    ),
  )
  for (const [pid, { files = [] }] of Object.entries(all))
    for (const [number, file] of files.entries()) symlinkSync(file, join(folder, pid, 'fd', `${number}`))
  return folder
}

const CASES: readonly (readonly [string, boolean, Record<number, Shown>, string?])[] = [
  ['a terminal alone', false, {}, '/usr/bin/npm'],
  ['nohup itself', true, {}, '/usr/bin/nohup'],
  ['nohup as the shell found it', true, {}, 'nohup'],
  ['a program with a like name', false, {}, '/usr/bin/nohup2'],
  ['a folder of that name', false, {}, '/nohup/npm'],
  ['no variable', false, {}],
  ['npm between that nohup started', true, { 200: { parent: 100, session: 100, command: '/bin/nohup' } }],
  ['npm between that ignores the signal', true, { 200: { parent: 100, session: 100, ignored: '0001' } }],
  ['and others', true, { 200: { parent: 100, session: 100, ignored: '100f' } }],
  ['or others alone', false, { 200: { parent: 100, session: 100, ignored: '1006' } }],
  [
    'a script above npm',
    true,
    {
      200: { parent: 150, session: 100, name: 'npm) x (y' },
      150: { parent: 100, session: 100, ignored: '0001' },
    },
  ],
  ['what the shell of the terminal ignores', false, { 100: { ...TERMINAL, ignored: '0001' } }],
  ['a shell of the terminal that nohup started', true, { 100: { ...TERMINAL, command: 'nohup' } }],
  ['a parent in another session', false, { 200: { parent: 150, session: 150, command: 'nohup' } }],
  [
    'a session whose shell is gone',
    false,
    { 200: { parent: 1, session: 100 }, 1: { parent: 0, session: 100, command: 'nohup', ignored: '0001' } },
  ],
  ['a parent that is not shown', false, { 200: { parent: 7, session: 100 } }],
  ['an input that is closed', true, { [SELF]: { ...TERMINAL, flags: '0100001', files: ['/dev/null'] } }],
  [
    'an input that can be read too',
    false,
    { [SELF]: { ...TERMINAL, flags: '0100002', files: ['/dev/null'] } },
  ],
  ['an input that can be read', false, { [SELF]: { ...TERMINAL, flags: '0100000', files: ['/dev/null'] } }],
  [
    'an input that is a file',
    false,
    { [SELF]: { ...TERMINAL, flags: '0100001', files: [import.meta.filename] } },
  ],
  ['an input that is not there', false, { [SELF]: { ...TERMINAL, flags: '0100001' } }],
  ['output to nohup.out', true, { [SELF]: { ...TERMINAL, files: ['/dev/null', '/home/a/nohup.out'] } }],
  ['errors to nohup.out', true, { [SELF]: { ...TERMINAL, files: ['/a', '/dev/null', '/home/a/nohup.out'] } }],
  ['input from nohup.out', false, { [SELF]: { ...TERMINAL, files: ['/home/a/nohup.out', '/a', '/b'] } }],
  ['output to another file', false, { [SELF]: { ...TERMINAL, files: ['/a', '/home/nohup.out/a', '/b'] } }],
]

t.test('who outlives the terminal', async (t) => {
  for (const [name, expected, processes, command] of CASES) {
    const parent = processes[200] === undefined ? (processes[SELF]?.parent ?? SHELL) : 200
    const self = { parent, session: SHELL, ...processes[SELF] }
    const proc = family(t, { ...processes, [SELF]: { ...self, session: SHELL } })
    t.equal(outlivesTerminal({ proc, pid: SELF, parent, command }), expected, name)
  }
})

t.test('it looks up twenty processes and no more', async (t) => {
  for (const [count, expected] of [
    [20, true],
    [21, false],
  ] as const) {
    const chain = Object.fromEntries(
      Array.from({ length: count }, (_, index) => [
        200 + index,
        { parent: 201 + index, session: SHELL, ...(index === count - 1 ? { command: 'nohup' } : {}) },
      ]),
    )
    const proc = family(t, { ...chain, [SELF]: { parent: 200, session: SHELL } })
    t.equal(outlivesTerminal({ proc, pid: SELF, parent: 200, command: undefined }), expected)
  }
})

t.test('where the system shows nothing there is no sign of it', async (t) => {
  t.equal(outlivesTerminal({ proc: '/no/such/folder', pid: 1, parent: 2, command: 'node' }), false)
  t.type(outlivesTerminal(), 'boolean')
})
