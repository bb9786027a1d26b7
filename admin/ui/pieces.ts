import { signal } from '@preact/signals'
import { type ComponentChildren, h, type RefObject } from 'preact'
import { useLayoutEffect, useRef, useState } from 'preact/hooks'

/** Something that was done, said once at the edge of the page and to screen readers. */
const note = signal('')
let timer: ReturnType<typeof setTimeout> | undefined

const NOTE_MS = 5000

export function say(text: string): void {
  note.value = text
  clearTimeout(timer)
  timer = setTimeout(() => {
    note.value = ''
  }, NOTE_MS)
}

export function Note(): ComponentChildren {
  return h('div', { class: 'note', role: 'status' }, note.value)
}

/** A name as it stands in a sentence: one that is written from right to left leaves the words around it in their place. */
export function isolated(name: string): string {
  return `\u2068${name}\u2069`
}

/** An identifier that can be copied: all of it is shown, its end, or nothing but the button, beside a name. */
export function Id({
  id,
  form = 'whole',
}: {
  id: string
  form?: 'whole' | 'short' | 'bare'
}): ComponentChildren {
  const [isCopied, setCopied] = useState(false)
  const copy = async () => {
    await navigator.clipboard.writeText(id)
    setCopied(true)
    say('Copied.')
  }
  const text = form === 'short' && id.length > 14 ? `…${id.slice(-12)}` : id
  return h(
    'button',
    { type: 'button', class: form === 'bare' ? 'id bare' : 'id', title: `Copy ${id}`, onClick: copy },
    h('span', { class: 'hidden' }, form === 'bare' ? `Copy the id ${id}` : 'Copy '),
    form !== 'bare' && text,
    h(
      'svg',
      { viewBox: '0 0 16 16', 'aria-hidden': 'true' },
      h('path', { d: isCopied ? 'M3 8.5l3.5 3.5L13 4.5' : 'M5.5 5.5h8v8h-8zM3 10.5H2.5v-8h8V3' }),
    ),
  )
}

export type Tone = 'good' | 'bad' | 'warn' | 'plain'

/** A state in one word; the colour only underlines it. */
export function Badge({
  tone = 'plain',
  children,
}: {
  tone?: Tone
  children?: ComponentChildren
}): ComponentChildren {
  return h('span', { class: `badge ${tone}` }, children)
}

/** A text of a list, whose first lines are shown; all of it is where the pointer is, and in the audit log. */
export function Cut({ text }: { text: string | null }): ComponentChildren {
  return text === null ? null : h('div', { class: 'cut', title: text }, text)
}

/** Characters beyond which a text has a line of its own. */
const LONG_TEXT = 60

function isLong(value: ComponentChildren): boolean {
  return typeof value === 'string' && value.length > LONG_TEXT
}

/** Facts about one thing. */
export function Facts({
  facts,
}: {
  facts: readonly (readonly [string, ComponentChildren])[]
}): ComponentChildren {
  return h(
    'dl',
    { class: 'facts' },
    facts.map(([name, value]) =>
      h(
        'div',
        { key: name, class: isLong(value) ? 'wide' : undefined },
        h('dt', null, name),
        h('dd', null, value ?? '–'),
      ),
    ),
  )
}

/**
 * Has the focus stay in an element when what had it goes: who works by the keyboard would have to begin at the top of the
 * page again. To be called while the component renders, when the old content is still there.
 */
export function useKeptFocus(element: RefObject<HTMLElement | null>): void {
  const had = element.current?.contains(document.activeElement) ?? false
  useLayoutEffect(() => {
    if (had && !element.current?.contains(document.activeElement)) element.current?.focus()
  })
}

/** A page's heading, and what can be done there. */
export function Heading({
  title,
  children,
}: {
  title: ComponentChildren
  children?: ComponentChildren
}): ComponentChildren {
  const buttons = useRef<HTMLDivElement>(null)
  useKeptFocus(buttons)
  return h(
    'header',
    { class: 'heading' },
    h('h1', { tabIndex: -1 }, title),
    h('div', { class: 'buttons', ref: buttons, tabIndex: -1 }, children),
  )
}

/** A part of a page with a heading of its own. */
export function Section({
  title,
  children,
}: {
  title: string
  children?: ComponentChildren
}): ComponentChildren {
  return h('section', { class: 'part', 'aria-label': title }, h('h2', null, title), children)
}

/** A button that asks before it acts. */
export function Act({
  label,
  danger,
  run,
}: {
  label: string
  danger?: boolean
  run(): unknown
}): ComponentChildren {
  const common = { type: 'button', 'aria-haspopup': 'dialog' } as const
  return h('button', { ...common, class: danger ? 'danger' : undefined, onClick: run }, label)
}
