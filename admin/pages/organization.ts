import { type ComponentChildren, h } from 'preact'
import { linkTo, type PageProps } from '../app/route.ts'
import { Facts, Heading, Id } from '../ui/pieces.ts'
import { Space } from './space.ts'

/** Where to find all that belongs to one organization. */
export function Organization({ id }: PageProps): ComponentChildren {
  return h(
    'div',
    null,
    h(
      Heading,
      { title: 'Organization' },
      h('a', { class: 'button', href: linkTo(['organizations']) }, 'All organizations'),
    ),
    h(Facts, { facts: [['Id', h(Id, { id })]] }),
    h(
      'p',
      { class: 'buttons' },
      h('a', { class: 'button', href: linkTo(['audit'], { organization_id: id }) }, 'Its audit log'),
      h('a', { class: 'button', href: linkTo(['audit'], { target_id: id }) }, 'What admins did to it'),
    ),
    h(Space, { id }),
  )
}
