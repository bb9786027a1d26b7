import { type ComponentChildren, h } from 'preact'
import type { AdministeredOrganization } from '#schemas/administered-organizations.ts'
import type { FailingWebhook } from '#schemas/failing-webhooks.ts'
import { call } from '../app/api.ts'
import { linkTo, type PageProps } from '../app/route.ts'
import { List, Table } from '../ui/list.ts'
import { useLoad } from '../ui/load.ts'
import { Badge, Facts, Heading, Id, Section } from '../ui/pieces.ts'
import { Failure, Loading } from '../ui/states.ts'
import { Time } from '../ui/time.ts'
import { counted, OrganizationActs, OwnerAct, stateOf } from './organization-acts.ts'
import { Space } from './space.ts'
import { WEBHOOK_COLUMNS } from './webhooks.ts'

/** One organization: how much it has, and whether its members can use it. What is in the rows is theirs. */
export function Organization({ id }: PageProps): ComponentChildren {
  const path = `operations/organizations/${id}`
  const { value, error, reload } = useLoad(path, (signal) => call<AdministeredOrganization>(path, { signal }))
  return h(
    'div',
    null,
    h(
      Heading,
      { title: value?.name ?? 'Organization' },
      value && [
        h(OwnerAct, { key: 'owner', organization: value }),
        h(OrganizationActs, { key: 'acts', organization: value }),
      ],
    ),
    error !== undefined && h(Failure, { error, retry: reload }),
    error === undefined && value === undefined && h(Loading, null),
    value && h(Details, { organization: value }),
  )
}

function Details({ organization }: { organization: AdministeredOrganization }): ComponentChildren {
  const { id, usage } = organization
  return h(
    'div',
    { class: 'stack' },
    h(Facts, { facts: factsOf(organization) }),
    h(
      'p',
      { class: 'buttons' },
      h('a', { class: 'button', href: linkTo(['audit'], { organization_id: id }) }, 'Its audit log'),
      h(
        'a',
        { class: 'button', href: linkTo(['audit'], { organization_id: id, target_id: id }) },
        'What was done to it',
      ),
    ),
    h(
      Section,
      { title: 'Webhooks that fail' },
      h(List<FailingWebhook>, {
        caption: 'Its webhooks that fail',
        path: 'operations/webhooks',
        query: { organization_id: id },
        // Whose they are is known here.
        columns: WEBHOOK_COLUMNS.slice(1),
        keyOf: (webhook) => webhook.id,
        empty: 'None of its webhooks fails.',
      }),
    ),
    h(Space, { id }),
    h(Section, { title: 'How much it has' }, h(Usage, { usage })),
  )
}

function factsOf(organization: AdministeredOrganization): (readonly [string, ComponentChildren])[] {
  const { id, slug, has_owner, created_at, updated_at, deleted_at, suspended_at, purge_requested_at } =
    organization
  const times: readonly (readonly [string, string | null])[] = [
    ['Created', created_at],
    ['Changed', updated_at],
    ['Suspended', suspended_at],
    ['Deleted', deleted_at],
    ['To be purged since', purge_requested_at],
  ]
  return [
    ['State', stateOf(organization)],
    ['Owner', has_owner ? 'can sign in' : h(Badge, { tone: 'bad' }, 'none who can sign in')],
    ['Slug', slug],
    ...times.flatMap(([name, at]) => (at === null ? [] : [[name, h(Time, { at })] as const])),
    ['Id', h(Id, { id })],
  ]
}

type Usage = AdministeredOrganization['usage']

function Usage({ usage }: { usage: Usage }): ComponentChildren {
  return h(Table<Usage[number]>, {
    caption: 'Rows by table',
    rows: usage.filter(({ rows }) => rows > 0).toSorted((one, other) => other.rows - one.rows),
    keyOf: ({ table }) => table,
    columns: [
      { title: 'What', show: ({ table }) => table.replaceAll('_', ' ') },
      { title: 'Rows', isNumber: true, show: (row) => counted([row]) },
    ],
  })
}
