import { type ComponentChildren, h } from 'preact'
import { go, linkTo, route } from '../app/route.ts'

/** One filter of a list; its value stands in the URL. */
export interface Filter {
  readonly name: string
  readonly label: string
  readonly kind: 'search' | 'select' | 'time'
  readonly placeholder?: string
  readonly options?: readonly (readonly [value: string, label: string])[]
  /** Filters that are given up when this one gets a value. */
  readonly instead?: readonly string[]
}

/** The filters of a list. */
export function Filters({ filters }: { filters: readonly Filter[] }): ComponentChildren {
  const { path, query } = route.value
  const isFiltered = filters.some(({ name }) => query[name])

  function set({ name, kind, instead = [] }: Filter, event: Event) {
    const { target } = event
    if (!(target instanceof HTMLInputElement || target instanceof HTMLSelectElement)) return
    const given = target.value === '' ? [] : instead
    const others = Object.entries(query).filter(([key]) => !given.includes(key))
    const link = linkTo(path, { ...Object.fromEntries(others), [name]: target.value })
    // Each letter would be a step of the back button.
    go(link, { replace: kind === 'search' && Boolean(query[name]) })
  }

  return h(
    'form',
    {
      class: 'filters',
      role: 'search',
      'aria-label': 'Filters',
      onSubmit: (event: Event) => event.preventDefault(),
    },
    filters.map((filter) => {
      const id = `filter-${filter.name}`
      return h(
        'div',
        { key: filter.name, class: `field ${filter.kind}` },
        h('label', { for: id }, filter.label),
        control(filter, {
          id,
          value: query[filter.name] ?? '',
          onInput: (event: Event) => set(filter, event),
        }),
      )
    }),
    isFiltered && h('a', { class: 'button', href: linkTo(path) }, 'Clear filters'),
  )
}

function control(
  { kind, placeholder, options = [] }: Filter,
  common: { id: string; value: string; onInput(event: Event): void },
): ComponentChildren {
  if (kind === 'select') {
    const choices = [['', 'Any'] as const, ...options]
    return h(
      'select',
      common,
      choices.map(([value, label]) => h('option', { key: value, value }, label)),
    )
  }
  if (kind === 'time') return h('input', { ...common, type: 'datetime-local' })
  return h('input', { ...common, type: 'search', placeholder, autocomplete: 'off', spellcheck: false })
}
