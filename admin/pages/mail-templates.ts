import { type ComponentChildren, h } from 'preact'
import type { MailPreview, MailTemplate } from '#schemas/mails.ts'
import { call } from '../app/api.ts'
import type { PageProps } from '../app/route.ts'
import { linkTo } from '../app/route.ts'
import { List } from '../ui/list.ts'
import { useLoad } from '../ui/load.ts'
import { Facts, Heading, Section } from '../ui/pieces.ts'
import { Failure, Loading } from '../ui/states.ts'

/** The mails that the service writes. */
export function MailTemplates(): ComponentChildren {
  return h(
    'div',
    null,
    h(Heading, { title: 'Mail templates' }),
    h(List<MailTemplate>, {
      caption: 'Mail templates',
      path: 'operations/mail-templates',
      columns: [
        {
          title: 'Mail',
          show: ({ template }) => h('a', { href: linkTo(['mail-templates', template]) }, template),
        },
        { title: 'Subject', show: ({ subject }) => subject },
      ],
      keyOf: ({ template }) => template,
      empty: 'There is no template.',
    }),
  )
}

/** A mail as somebody would get it, with made-up data. Its HTML is shown as it is written: the panel's policy has it so. */
export function MailTemplatePage({ id }: PageProps): ComponentChildren {
  const path = `operations/mail-templates/${encodeURIComponent(id)}`
  const { value, error, reload } = useLoad(path, (signal) => call<MailPreview>(path, { signal }))
  return h(
    'div',
    null,
    h(
      Heading,
      { title: id },
      h('a', { class: 'button', href: linkTo(['mails'], { template: id }) }, 'Mails like this'),
    ),
    error !== undefined && h(Failure, { error, retry: reload }),
    error === undefined && value === undefined && h(Loading, null),
    value && h(Facts, { facts: [['Subject', value.subject]] }),
    value && h(Section, { title: 'Text' }, h('pre', null, value.text)),
    value && h('details', null, h('summary', null, 'HTML'), h('pre', null, value.html)),
  )
}
