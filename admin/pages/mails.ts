import { type ComponentChildren, h } from 'preact'
import type { MailRecord, MailTemplate } from '#schemas/mails.ts'
import { call, type Page } from '../app/api.ts'
import { linkTo, route } from '../app/route.ts'
import { type Filter, Filters } from '../ui/filters.ts'
import { type Column, List, pick } from '../ui/list.ts'
import { useLoad } from '../ui/load.ts'
import { Badge, Heading, type Tone } from '../ui/pieces.ts'
import { Time } from '../ui/time.ts'

const STATES: readonly MailRecord['state'][] = [
  'waiting',
  'retrying',
  'sent',
  'failed',
  'expired',
  'replaced',
]

const TONES: Partial<Record<MailRecord['state'], Tone>> = {
  retrying: 'warn',
  sent: 'good',
  failed: 'bad',
  expired: 'warn',
}

/** The API looks for whole addresses. */
const ADDRESS = /^[^@\s]+@[^@\s]+\.[^@\s]+$/

/** Columns of mails. */
export const MAIL_COLUMNS: readonly Column<MailRecord>[] = [
  { title: 'To', show: ({ id, to }) => h('a', { href: linkTo(['mails', id]) }, to) },
  { title: 'Mail', show: ({ template }) => template },
  { title: 'State', show: ({ state }) => h(MailState, { state }) },
  { title: 'Written', show: ({ written_at }) => h(Time, { at: written_at }) },
  { title: 'Sent', show: ({ sent_at }) => sent_at && h(Time, { at: sent_at }) },
  { title: 'Error', show: ({ error }) => error && h('span', { class: 'bad cut' }, error) },
]

/** Mails that were sent, and those that were not. */
export function Mails(): ComponentChildren {
  const templates = useLoad('mail-templates', (signal) =>
    call<Page<MailTemplate>>('operations/mail-templates', { query: { limit: '100' }, signal }),
  )
  const { query } = route.value
  const isAddress = ADDRESS.test(query['to'] ?? '')
  const names = templates.value?.data.map(({ template }) => template) ?? []
  return h(
    'div',
    null,
    h(
      Heading,
      { title: 'Mails' },
      h('a', { class: 'button', href: linkTo(['mail-templates']) }, 'Templates'),
    ),
    h(Filters, { filters: filtersOf(names) }),
    query['to'] &&
      !isAddress &&
      h(
        'p',
        { class: 'hint', role: 'status' },
        'Type the whole address; a part of it finds the user on the page of users.',
      ),
    h(List<MailRecord>, {
      caption: 'Mails, newest first',
      path: 'operations/mails',
      query: { ...pick(query, 'state', 'template'), to: isAddress ? query['to'] : undefined },
      columns: MAIL_COLUMNS,
      keyOf: ({ id }) => id,
      empty: 'No mail matches. Clear the filters, or look whether the address is another one.',
    }),
  )
}

/** The state of a mail in one word. */
export function MailState({ state }: Pick<MailRecord, 'state'>): ComponentChildren {
  return h(Badge, { tone: TONES[state] ?? 'plain' }, state)
}

function filtersOf(templates: readonly string[]): Filter[] {
  return [
    { name: 'to', label: 'To', kind: 'search', placeholder: 'Whole address' },
    { name: 'state', label: 'State', kind: 'select', options: STATES.map((state) => [state, state]) },
    { name: 'template', label: 'Mail', kind: 'select', options: templates.map((name) => [name, name]) },
  ]
}
