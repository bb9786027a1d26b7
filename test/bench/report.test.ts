import t from 'tap'
import { renderGoals } from '#bench/report/goals.ts'
import { bar } from '#bench/report/progress.ts'
import { judgeGoals } from '#bench/report/ratios.ts'
import { number, renderSeries, renderTable } from '#bench/report/table.ts'
import type { Outcome } from '#bench/run.ts'
import type { Sample } from '#bench/scenarios/contestant.ts'

function sample(rate: number, p99 = 1): Sample {
  return { requests_per_second: rate, p50: 1, p99, failed: 0 }
}

function outcome(id: number, series: Record<string, Sample[]>): Outcome {
  return {
    id,
    title: String(id),
    figures: [],
    series: Object.entries(series).map(([name, samples]) => ({ name, isOwn: true, samples })),
  }
}

t.test('goals compare what was measured in one round', async (t) => {
  const goals = judgeGoals([
    // The machine was slower in the second round, for both.
    outcome(1, { groundwork: [sample(800), sample(80)], 'bare node:http': [sample(1000), sample(100)] }),
    outcome(6, { 'me alone': [sample(1, 10)], 'me while logins storm': [sample(1, 31)] }),
    { ...outcome(9, {}), figures: [{ name: 'start to /ready, database migrated', value: 900, unit: 'ms' }] },
  ])
  const goal = (name: string) => goals.find((each) => each.name === name)
  t.match(goal('/live / bare node:http'), { target: 0.75, reached: 0.8, met: true })
  t.match(goal('p99 of me while logins storm / alone'), { bound: 'at most', reached: 3.1, met: false })
  t.match(goal('start to /ready, database migrated'), { reached: 900, met: true })
  t.notOk(goal('me / plain Fastify')?.reached, 'what was not measured has no verdict')
  const text = renderGoals(goals)
  t.match(text, /\/live \/ bare node:http +at least 0\.75 +0\.80 +yes/)
  t.match(text, / +3\.10 +NO/)
  t.notMatch(text, 'plain Fastify')
  t.equal(renderGoals([]), '')
})

t.test('a table has medians and what failed', async (t) => {
  const samples = [
    { ...sample(1000), cpu: 10, memory: 3 * 2 ** 20 },
    { ...sample(3000), cpu: 30, memory: 5 * 2 ** 20, failed: 2 },
    { ...sample(2000), cpu: 20, memory: 4 * 2 ** 20 },
  ]
  const text = renderSeries('Title', [
    { name: 'one', isOwn: true, samples },
    { name: 'other', isOwn: false, samples: [sample(5)] },
  ])
  t.match(text, /one +2,000 +50\.0 +1\.00 +1\.00 +20\.0 +4 +2\n/)
  t.match(text, /other +5 +0\.0 +1\.00 +1\.00 +- +- +0\n/)
})

t.test('columns are aligned', async (t) => {
  t.equal(
    renderTable([
      ['a', 'bb'],
      ['ccc', '1'],
    ]),
    'a    bb\nccc   1\n',
  )
  t.equal(number(undefined, 0), '-')
  t.equal(number(Number.NaN, 0), '-')
  t.equal(number(1234.5, 1), '1,234.5')
})

t.test('the bar fills', async (t) => {
  t.equal(bar(0), '░'.repeat(24))
  t.equal(bar(0.5), '█'.repeat(12) + '░'.repeat(12))
  t.equal(bar(1), '█'.repeat(24))
})
