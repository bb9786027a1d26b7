import { type ComponentChildren, h } from 'preact'
import type { StorageLimit } from '#schemas/administered-files.ts'
import { call, perform } from '../app/api.ts'
import { changed, useLoad } from '../ui/load.ts'
import { Act, Section, say } from '../ui/pieces.ts'
import { askWithReason } from '../ui/questions.ts'
import { size } from '../ui/sizes.ts'
import { Failure } from '../ui/states.ts'

const MIB = 1_048_576

/** The space that files of a user or organization take, and may take. */
export function Space({ id }: { id: string }): ComponentChildren {
  const path = `operations/files/limits/${id}`
  const { value, error, reload } = useLoad(path, (signal) => call<StorageLimit>(path, { signal }))
  return h(
    Section,
    { title: 'Space for files' },
    error !== undefined && h(Failure, { error, retry: reload }),
    value &&
      h(
        'div',
        { class: 'buttons' },
        h('meter', { value: value.bytes, max: Math.max(value.max_bytes, 1), 'aria-label': 'Space in use' }),
        h('span', null, `${size(value.bytes)} of ${size(value.max_bytes)}`),
        h('span', { class: 'muted' }, value.is_default ? 'as everybody' : 'set by an admin'),
        h(Act, { label: 'Change…', run: () => change(value) }),
      ),
  )
}

async function change({ id, max_bytes, bytes }: StorageLimit): Promise<void> {
  const done = await askWithReason({
    title: 'Change the space',
    text: `${size(bytes)} are in use. Less than that refuses more, and deletes nothing.`,
    confirm: 'Change',
    fields: [
      {
        name: 'mib',
        label: 'Space in MiB',
        kind: 'number',
        min: 0,
        max: 1_073_741_824,
        value: String(Math.floor(max_bytes / MIB)),
      },
    ],
    run: ({ mib, reason }) =>
      perform(`operations/files/limits/${id}`, {
        method: 'PATCH',
        body: { max_bytes: Number(mib) * MIB, reason },
      }),
  })
  if (done) say('Changed.')
  changed()
}
