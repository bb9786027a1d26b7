import { type ComponentChildren, h } from 'preact'
import type { FailingWebhook } from '#schemas/failing-webhooks.ts'
import { linkTo, route } from '../app/route.ts'
import { type Filter, Filters } from '../ui/filters.ts'
import { type Column, List, pick } from '../ui/list.ts'
import { Badge, Heading, Id } from '../ui/pieces.ts'
import { Time } from '../ui/time.ts'

const FILTERS: readonly Filter[] = [
  {
    name: 'status',
    label: 'State',
    kind: 'select',
    options: [
      ['failing', 'Failing'],
      ['disabled', 'Disabled'],
    ],
  },
]

/** Why nothing is sent to it any more. */
const REASONS: Readonly<Record<NonNullable<FailingWebhook['disabled_reason']>, string>> = {
  requested: 'by its members',
  gone: 'the receiver answered 410',
  failing: 'it failed for too long',
}

/** Columns of webhooks. */
export const WEBHOOK_COLUMNS: readonly Column<FailingWebhook>[] = [
  {
    title: 'Organization',
    show: ({ organization_id, organization_name }) =>
      h('a', { href: linkTo(['organizations', organization_id]) }, organization_name),
  },
  { title: 'Host', show: ({ host }) => host },
  {
    title: 'State',
    show: ({ status, disabled_reason }) => [
      h(Badge, { key: 'state', tone: status === 'disabled' ? 'bad' : 'warn' }, status),
      disabled_reason !== null && h('p', { key: 'why', class: 'hint' }, REASONS[disabled_reason]),
    ],
  },
  {
    title: 'Failing since',
    show: ({ failing_since }) => failing_since && h(Time, { at: failing_since }),
  },
  { title: 'Attempts', isNumber: true, show: ({ failed_attempts }) => failed_attempts },
  { title: 'Id', show: ({ id }) => h(Id, { id, form: 'short' }) },
]

/** Webhooks that do not reach their receivers. */
export function Webhooks(): ComponentChildren {
  return h(
    'div',
    null,
    h(Heading, { title: 'Failing webhooks' }),
    h(
      'p',
      { class: 'muted' },
      'The owners and admins of the organization are told by mail, and enable it when the receiver works again.',
    ),
    h(Filters, { filters: FILTERS }),
    h(List<FailingWebhook>, {
      caption: 'Webhooks that fail, newest first',
      path: 'operations/webhooks',
      query: pick(route.value.query, 'status'),
      columns: WEBHOOK_COLUMNS,
      keyOf: ({ id }) => id,
      empty: 'Every webhook reaches its receiver.',
    }),
  )
}
