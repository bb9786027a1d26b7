import { type ComponentChildren, h } from 'preact'
import type { LogLevels } from '#schemas/log-levels.ts'
import type { Setting } from '#schemas/settings.ts'
import { call, perform } from '../app/api.ts'
import { route } from '../app/route.ts'
import { Filters } from '../ui/filters.ts'
import { type Column, List, pick } from '../ui/list.ts'
import { changed, useLoad } from '../ui/load.ts'
import { Act, Badge, Heading, Section, say } from '../ui/pieces.ts'
import { askWithReason } from '../ui/questions.ts'
import { Failure, Loading } from '../ui/states.ts'

const COLUMNS: readonly Column<Setting>[] = [
  {
    title: 'Setting',
    show: ({ key, description }) => [h('code', null, key), h('p', { class: 'hint' }, withCode(description))],
  },
  { title: 'Value', show: shownValue },
  {
    title: 'From',
    show: ({ origin, source }) => [
      h(Badge, { tone: origin === 'default' ? 'plain' : 'good' }, origin),
      h('p', { class: 'hint' }, source),
    ],
  },
]

/** The settings that are effective, where they come from, and what is logged. */
export function Settings(): ComponentChildren {
  return h(
    'div',
    null,
    h(Heading, { title: 'Settings' }),
    h(
      'p',
      { class: 'muted' },
      'Settings are read at start: change them by variables or files, then restart. Only what is logged can be changed here.',
    ),
    h(Logging, null),
    h(Filters, { filters: [{ name: 'q', label: 'Search', kind: 'search', placeholder: 'Part of a name' }] }),
    h(List<Setting>, {
      caption: 'Settings',
      path: 'operations/settings',
      query: { ...pick(route.value.query, 'q'), limit: '100' },
      columns: COLUMNS,
      keyOf: ({ key }) => key,
      empty: 'No setting has this in its name.',
    }),
  )
}

function shownValue({ value, is_secret, is_set }: Setting): ComponentChildren {
  if (!is_set) return h('span', { class: 'muted' }, 'not set')
  return is_secret ? h('span', { class: 'muted' }, 'set, and secret') : h('code', null, value)
}

const LEVELS: readonly LogLevels['level'][] = ['trace', 'debug', 'info', 'warn', 'error']

function Logging(): ComponentChildren {
  const path = 'operations/log-level'
  const { value, error, reload } = useLoad(path, (signal) => call<LogLevels>(path, { signal }))
  if (value === undefined)
    return error === undefined ? h(Loading, null) : h(Failure, { error, retry: reload })
  const modules = Object.entries(value.modules ?? {}).map(([name, level]) => `, ${name}: ${level}`)
  return h(
    Section,
    { title: 'Log' },
    h(
      'p',
      { class: 'buttons' },
      `Level: ${value.level}${modules.join('')}, on the instance that has answered`,
      h(Act, { label: 'Change…', run: () => change(value) }),
    ),
  )
}

async function change(levels: LogLevels): Promise<void> {
  const done = await askWithReason({
    title: 'Change what is logged',
    text: 'On the instance that answers, with all of its workers, until it is changed again or restarted.',
    confirm: 'Change',
    fields: [
      {
        name: 'level',
        label: 'Least severe level',
        kind: 'select',
        value: levels.level,
        options: LEVELS.map((level) => [level, level]),
      },
    ],
    run: ({ level, reason }) =>
      perform('operations/log-level', { method: 'PUT', body: { ...levels, level, reason } }),
  })
  if (done) say('Changed.')
  changed()
}

/** A text with its parts between backticks as code. */
function withCode(text: string): ComponentChildren {
  return text.split('`').map((part, index) => (index % 2 === 1 ? h('code', { key: index }, part) : part))
}
