import { type ComponentChildren, h } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { AdministeredOrganization } from '#schemas/administered-organizations.ts'
import type { AdministeredUser } from '#schemas/administered-users.ts'
import { call, type Page } from '../app/api.ts'
import { linkTo } from '../app/route.ts'
import { session } from '../app/session.ts'
import { Id } from './pieces.ts'

export type Kind = 'user' | 'organization'

const PAGES: Readonly<Record<Kind, string>> = { user: 'users', organization: 'organizations' }

/** The API names people and organizations by their ids; these tell what others call them. */
const SOURCES: Readonly<Record<Kind, (id: string) => Promise<string | undefined>>> = {
  user: async (id) => (await call<AdministeredUser>(`operations/users/${id}`)).email,
  organization: async (id) => {
    const query = { q: id, limit: '1' }
    const { data } = await call<Page<AdministeredOrganization>>('operations/organizations', { query })
    return data[0]?.name
  },
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** Names that were asked for, of the admin who is signed in. */
const asked = new Map<string, Promise<string | undefined>>()
let owner: string | undefined
/** A page has many rows of few people: one question after the other is soon done. */
let last: Promise<unknown> = Promise.resolve()

function nameOf(kind: Kind, id: string): Promise<string | undefined> {
  const user = session.value?.user.id
  if (user !== owner) asked.clear()
  owner = user
  const key = `${kind} ${id}`
  const known = asked.get(key)
  if (known !== undefined) return known
  // Accounts that are gone have no name any more.
  const answer = last.then(() => SOURCES[kind](id)).catch(() => undefined)
  last = answer
  asked.set(key, answer)
  return answer
}

/** An address breaks after its @ when it has to break. */
function parted(name: string): ComponentChildren {
  const [local = '', domain] = name.split('@', 2)
  return domain === undefined ? name : [`${local}@`, h('wbr', { key: 'break' }), domain]
}

/** A user or an organization by its name, once that is known, with a link to its page and its id to copy. */
export function Named({
  kind,
  id,
  word = kind,
}: {
  kind: Kind
  id: string
  word?: string
}): ComponentChildren {
  const [known, setKnown] = useState<{ id: string; name: string | undefined }>()
  useEffect(() => {
    let isCurrent = true
    if (UUID.test(id)) void nameOf(kind, id).then((name) => isCurrent && setKnown({ id, name }))
    return () => {
      isCurrent = false
    }
  }, [kind, id])
  const name = known?.id === id ? known.name : undefined
  return h(
    'span',
    { class: 'named' },
    h('a', { href: linkTo([PAGES[kind], id]) }, h('bdi', null, parted(name ?? word))),
    h(Id, { id, form: name === undefined ? 'short' : 'bare' }),
  )
}
