import { type ComponentChildren, h } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { HealthSummary } from '#schemas/health-summary.ts'
import { call } from '../app/api.ts'
import { linkTo } from '../app/route.ts'
import { Line, type Series } from '../charts/line.ts'
import { Table } from '../ui/list.ts'
import { useLoad } from '../ui/load.ts'
import { Badge, Heading, Id, Section, type Tone } from '../ui/pieces.ts'
import { Failure, Loading } from '../ui/states.ts'
import { duration, Time } from '../ui/time.ts'

/** How often the summary is asked for while nobody tells it. */
const EVERY_MS = 5000
const CHANNEL = 'operations:health'
/** Half an hour. */
const MAX_SAMPLES = 360

/** Points of the charts; they stay while somebody looks at other pages. */
let samples: readonly HealthSummary[] = []

/** How the service is, now and since the panel was opened. */
export function Overview(): ComponentChildren {
  const { value, error, isLive, reload } = useHealth()
  const [shown, setShown] = useState(samples)
  useEffect(() => {
    if (value === undefined) return
    samples = [...samples, value].slice(-MAX_SAMPLES)
    setShown(samples)
  }, [value])

  return h(
    'div',
    null,
    h(Heading, { title: 'Overview' }, value && h(Badge, null, isLive ? 'live' : 'updated every 5 seconds')),
    error !== undefined && h(Failure, { error, retry: reload }),
    value === undefined ? error === undefined && h(Loading, null) : h(Summary, { summary: value }),
    value && h(Charts, { samples: shown }),
    value && h(Instances, { summary: value }),
  )
}

/** The summary as it is told, or else asked for: at first, and while nobody tells it. */
function useHealth() {
  const [told, setTold] = useState<HealthSummary>()
  const [isLive, setLive] = useState(false)
  const live = useRef(false)
  live.current = isLive
  const load = (signal: AbortSignal) => call<HealthSummary>('operations/health', { signal })
  const { value, error, reload } = useLoad('health', load, EVERY_MS, () => live.current)
  const isThere = value !== undefined
  useEffect(() => {
    if (!isThere) return
    const abort = new AbortController()
    const begin = async () => {
      const { listen } = await import('../app/live.ts')
      await listen<HealthSummary>(CHANNEL, { hear: setTold, connected: setLive }, abort.signal)
    }
    // The page itself comes first.
    const timer = setTimeout(begin, EVERY_MS / 2)
    return () => {
      clearTimeout(timer)
      abort.abort()
    }
  }, [isThere])
  return isLive && told ? { value: told, error: undefined, isLive, reload } : { value, error, isLive, reload }
}

function Summary({ summary }: { summary: HealthSummary }): ComponentChildren {
  return h(
    'ul',
    { class: 'tiles' },
    tilesOf(summary).map(([title, tone, state, text, link]) =>
      h(
        'li',
        { key: title },
        h('h2', null, link ? h('a', { href: link }, title) : title),
        h(Badge, { tone }, state),
        h('p', null, text),
      ),
    ),
  )
}

type Tile = readonly [title: string, tone: Tone, state: string, text: ComponentChildren, link?: string]

function tilesOf(summary: HealthSummary): Tile[] {
  const { checks, instances, pressure } = summary
  const down = checks.filter(({ status }) => status !== 'up')
  return [
    [
      'Checks',
      ...state(down.length === 0, `${down.length} down`),
      down.map(({ name, reason }) => `${name}: ${reason ?? 'down'}`).join('; ') || `${checks.length} are up`,
    ],
    [
      'Instances',
      ...state(instances.length > 0 && !pressure.is_under_pressure, 'under pressure'),
      `${instances.length} running, version ${[...new Set(instances.map(({ version }) => version))].join(', ')}`,
    ],
    jobs(summary),
    mails(summary),
    events(summary),
    audit(summary),
    backup(summary),
  ]
}

/** Work that is due waits no longer than this when all is well. */
const LATE_SECONDS = 60

function jobs({
  jobs: { waiting, retrying, active, dead, paused, oldest_due_seconds },
}: HealthSummary): Tile {
  const isLate = oldest_due_seconds > LATE_SECONDS
  const trouble = paused.length > 0 ? `${paused.length} paused` : dead > 0 ? `${dead} dead` : 'late'
  const wait = isLate ? `; the oldest is ${duration(oldest_due_seconds)} late` : ''
  const text = `${waiting} waiting, ${retrying} retrying, ${active} active${wait}`
  return ['Jobs', ...state(paused.length === 0 && dead === 0 && !isLate, trouble), text, linkTo(['queues'])]
}

function mails({ mails: { waiting, failed, has_transport, oldest_due_seconds } }: HealthSummary): Tile {
  const isLate = oldest_due_seconds > LATE_SECONDS
  const trouble = has_transport ? (failed > 0 ? `${failed} failed` : 'late') : 'not set up'
  const text = has_transport ? `${waiting} waiting` : 'No server to send by is set (email.smtp_url).'
  const link = linkTo(['mails'], failed > 0 ? { state: 'failed' } : {})
  return ['Mails', ...state(has_transport && failed === 0 && !isLate, trouble), text, link]
}

function events({ outbox, broker }: HealthSummary): Tile {
  const oldest = Math.max(outbox.oldest_seconds, broker.oldest_seconds ?? 0)
  const text = oldest < 1 ? 'Nothing waits.' : `The oldest waits for ${duration(oldest)}.`
  return ['Events', ...state(oldest <= LATE_SECONDS, 'late'), `${text} Broker: ${broker.kind}.`]
}

function audit({ audit: { refused, problems, verified_new_seconds } }: HealthSummary): Tile {
  const found = refused + problems
  const text =
    verified_new_seconds === null ? 'Not verified yet.' : `Verified ${duration(verified_new_seconds)} ago.`
  return ['Audit log', ...state(found === 0, `${found} problems`), text, linkTo(['audit'])]
}

function backup({ backup: { last_at, age_seconds } }: HealthSummary): Tile {
  const isRecent = age_seconds !== null && age_seconds < 2 * 86_400
  const text = last_at === null ? 'No backup was recorded.' : h(Time, { at: last_at })
  return [
    'Backup',
    isRecent ? 'good' : 'warn',
    isRecent ? 'good' : age_seconds === null ? 'none' : 'old',
    text,
  ]
}

function state(isGood: boolean, trouble: string): [Tone, string] {
  return isGood ? ['good', 'good'] : ['bad', trouble]
}

function Charts({ samples }: { samples: readonly HealthSummary[] }): ComponentChildren {
  const of = (value: (summary: HealthSummary) => number, points = samples): Series => ({
    times: points.map(({ checked_at }) => Date.parse(checked_at) / 1000),
    values: points.map(value),
  })
  // Two processes are two lines.
  const last = samples.at(-1)
  const own = samples.filter((sample) => last && reporterOf(sample) === reporterOf(last))
  return h(
    Section,
    { title: 'Since this page was opened' },
    h(
      'div',
      { class: 'charts' },
      h(Line, {
        title: 'Jobs that are due or retried',
        series: of(({ jobs: { waiting, retrying } }) => waiting + retrying),
        format: (value) => String(Math.round(value)),
        isCount: true,
      }),
      h(Line, {
        title: 'Event loop in use',
        series: of(({ pressure }) => pressure.event_loop_utilization, own),
        format: (value) => `${(value * 100).toFixed(value < 0.1 ? 1 : 0)} %`,
      }),
      h(Line, {
        title: 'Memory of JavaScript',
        series: of(({ pressure }) => pressure.heap_used_bytes, own),
        format: (value) => `${Math.round(value / 1_048_576)} MiB`,
      }),
    ),
  )
}

/** The process whose load it is. */
const reporterOf = ({ instances }: HealthSummary) => instances.find(({ is_current }) => is_current)?.id

function Instances({ summary: { instances } }: { summary: HealthSummary }): ComponentChildren {
  return h(
    Section,
    { title: 'Instances' },
    h(
      'div',
      { class: 'list' },
      h(Table<HealthSummary['instances'][number]>, {
        caption: 'Processes that serve',
        rows: instances,
        keyOf: ({ id }) => id,
        columns: [
          { title: 'Id', show: ({ id }) => h(Id, { id, form: 'short' }) },
          { title: 'Version', show: ({ version }) => version },
          { title: 'Started', show: ({ started_at }) => h(Time, { at: started_at }) },
          { title: 'Last seen', show: ({ seen_at }) => h(Time, { at: seen_at }) },
          { title: 'Note', show: ({ is_current }) => is_current && h(Badge, null, 'serves this page') },
        ],
      }),
    ),
  )
}
