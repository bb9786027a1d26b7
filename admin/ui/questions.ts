import { signal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import type { Field, Values } from './fields.ts'

/** A question that comes before an act. */
export interface Question {
  readonly title: string
  readonly text: ComponentChildren
  /** The button that does it. */
  readonly confirm: string
  readonly fields?: readonly Field[]
  /** Whether it takes something away. */
  readonly danger?: boolean
  /** Does it; what it throws is shown in the dialog, which stays. Without it there is nothing to cancel. */
  run?(values: Values): Promise<unknown>
}

/** A question that is open. */
export interface Open extends Question {
  readonly id: number
  close(done: boolean): void
}

/** The questions that are open, the last on top. */
export const questions = signal<readonly Open[]>([])
let count = 0

/** Asks, and does it; returns whether it was done. A question may be asked while another is open. */
export function ask(question: Question): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const id = count++
  const close = (done: boolean) => {
    questions.value = questions.value.filter((other) => other.id !== id)
    resolve(done)
  }
  questions.value = [...questions.value, { ...question, id, close }]
  return promise
}

/** The field that every act on somebody or something has. */
const REASON: Field = {
  name: 'reason',
  label: 'Reason',
  kind: 'text',
  maxLength: 500,
  hint: 'Others read it in the audit log, where it stays. No personal data.',
}

/** Asks for the reason, too. */
export function askWithReason(question: Question): Promise<boolean> {
  return ask({ ...question, fields: [...(question.fields ?? []), REASON] })
}
