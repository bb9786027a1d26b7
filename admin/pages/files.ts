import { type ComponentChildren, h } from 'preact'
import type { QuarantinedFile } from '#schemas/administered-files.ts'
import { perform } from '../app/api.ts'
import { type Column, List } from '../ui/list.ts'
import { changed } from '../ui/load.ts'
import { Named } from '../ui/names.ts'
import { Act, Badge, Heading, Id, isolated, say } from '../ui/pieces.ts'
import { askWithReason } from '../ui/questions.ts'
import { size } from '../ui/sizes.ts'
import { Time } from '../ui/time.ts'

const COLUMNS: readonly Column<QuarantinedFile>[] = [
  { title: 'File', show: ({ name, media_type }) => [name, h('p', { class: 'hint' }, media_type)] },
  { title: 'Of', show: ownerOf },
  { title: 'Size', isNumber: true, show: (file) => size(file.size) },
  {
    title: 'Found',
    show: ({ reason, finding }) => [
      h(Badge, { tone: reason === 'infected' ? 'bad' : 'warn' }, reason),
      h('p', { class: 'hint' }, finding),
    ],
  },
  { title: 'Scanned', show: ({ scanned_at }) => h(Time, { at: scanned_at }) },
  { title: 'SHA-256', show: ({ sha256 }) => h(Id, { id: sha256, form: 'short' }) },
  { title: 'Actions', show: (file) => h(Act, { label: 'Release', danger: true, run: () => release(file) }) },
]

/** Files that nobody can read, because of what the scanner said. */
export function Files(): ComponentChildren {
  return h(
    'div',
    null,
    h(Heading, { title: 'Files in quarantine' }),
    h(
      'p',
      { class: 'muted' },
      'Nobody can read their content. The space of a user or organization is on its own page.',
    ),
    h(List<QuarantinedFile>, {
      caption: 'Files in quarantine, newest first',
      path: 'operations/files/quarantine',
      columns: COLUMNS,
      keyOf: ({ id }) => id,
      empty: 'No file is in quarantine.',
    }),
  )
}

function ownerOf({ user_id, organization_id }: QuarantinedFile): ComponentChildren {
  if (user_id !== null) return h(Named, { kind: 'user', id: user_id })
  return organization_id !== null && h(Named, { kind: 'organization', id: organization_id })
}

async function release({ id, name, reason, finding }: QuarantinedFile): Promise<void> {
  const done = await askWithReason({
    title: `Release ${isolated(name)}`,
    text:
      reason === 'infected'
        ? `The scanner found ${finding} in it. Everybody who may read the file can then load it.`
        : 'Nobody has looked into it. Everybody who may read the file can then load it.',
    confirm: 'Release 1 file',
    danger: true,
    run: ({ reason: why }) =>
      perform(`operations/files/quarantine/${id}/release`, { method: 'POST', body: { reason: why } }),
  })
  if (done) say('The file can be read again.')
  changed()
}
