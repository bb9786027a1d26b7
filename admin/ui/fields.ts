import { type ComponentChildren, h } from 'preact'

/** A field of a form. */
export interface Field {
  readonly name: string
  readonly label: string
  readonly kind: 'text' | 'email' | 'password' | 'number' | 'select'
  readonly hint?: string
  readonly value?: string
  readonly maxLength?: number
  readonly min?: number
  readonly max?: number
  /** For `select`: values and what they are called. */
  readonly options?: readonly (readonly [value: string, label: string])[]
  readonly autocomplete?: string
}

/** Texts that somebody has filled in, by the fields' names. */
export type Values = Readonly<Record<string, string>>

/** The fields of a form. All of them have to be filled in. */
export function Fields({ fields, prefix }: { fields: readonly Field[]; prefix: string }): ComponentChildren {
  return h(
    'div',
    { class: 'fields' },
    fields.map((field, index) => {
      const id = `${prefix}-${field.name}`
      const hint = field.hint === undefined ? undefined : `${id}-hint`
      return h(
        'div',
        { key: field.name, class: 'field' },
        h('label', { for: id }, field.label),
        control(field, { id, required: true, autofocus: index === 0, 'aria-describedby': hint }),
        hint && h('p', { id: hint, class: 'hint' }, field.hint),
      )
    }),
  )
}

export function valuesIn(form: HTMLFormElement): Values {
  const entries = [...new FormData(form)].map(([name, value]) => [name, String(value)] as const)
  return Object.fromEntries(entries)
}

function control(field: Field, common: object): ComponentChildren {
  const { name, kind, value, options = [], maxLength, min, max } = field
  if (kind === 'select') {
    const choices = options.map(([choice, label]) =>
      h('option', { key: choice, value: choice, selected: choice === value }, label),
    )
    return h('select', { ...common, name }, choices)
  }
  const autocomplete = field.autocomplete ?? (kind === 'password' ? 'current-password' : 'off')
  const type = kind
  return h('input', { ...common, name, type, defaultValue: value, maxLength, min, max, autocomplete })
}
