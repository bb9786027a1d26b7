import { pino } from 'pino'
import t from 'tap'
import { LogLevelControl } from '#lib/log/levels.ts'
import { LOG_MODULES } from '#schemas/log-levels.ts'

function rig(level: string) {
  const lines: { log_levels: unknown; level: number }[] = []
  const log = pino({ level }, { write: (line: string) => void lines.push(JSON.parse(line)) })
  const control = new LogLevelControl(log)
  const levels = () => [log.level, ...LOG_MODULES.map((name) => control.module(name).level)]
  return { control, levels, lines }
}

const all = (level: string) => Array(1 + LOG_MODULES.length).fill(level)

t.test('a signal turns everything to debug, and back', async (t) => {
  const { control, levels, lines } = rig('error')
  t.strictSame(levels(), all('error'))
  t.strictSame(control.current, { level: 'error' })
  control.toggle()
  t.strictSame(levels(), all('debug'))
  t.strictSame(control.current, { level: 'debug' })
  control.toggle()
  t.strictSame(levels(), all('error'))
  t.match(
    lines,
    [
      { level: 40, log_levels: { level: 'debug' } },
      { level: 40, log_levels: null },
    ],
    'and is logged',
  )
})

t.test('levels of modules, until they are reset or toggled', async (t) => {
  for (const end of ['reset', 'toggle'] as const) {
    const { control, levels } = rig('info')
    control.set({ level: 'warn', modules: { jobs: 'trace' } })
    t.strictSame(levels(), ['warn', ...LOG_MODULES.map((name) => (name === 'jobs' ? 'trace' : 'warn'))])
    t.strictSame(control.current, { level: 'warn', modules: { jobs: 'trace' } })
    control[end]()
    t.strictSame(levels(), all('info'))
  }
})

t.test('a level of the configuration beyond those that can be set is the nearest', async (t) => {
  for (const level of ['trace', 'debug', 'info', 'warn', 'error'] as const)
    t.strictSame(rig(level).control.current, { level })
  for (const level of ['fatal', 'silent']) t.strictSame(rig(level).control.current, { level: 'error' })
})
