import { type ComponentChildren, h } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { Fields, valuesIn } from './fields.ts'
import { type Open, questions } from './questions.ts'
import { explain } from './states.ts'

/** The questions that are open. */
export function Dialogs(): ComponentChildren {
  return h(
    'div',
    null,
    questions.value.map((question) => h(Dialog, { key: question.id, question })),
  )
}

function Dialog({ question }: { question: Open }): ComponentChildren {
  const element = useRef<HTMLDialogElement>(null)
  const [problem, setProblem] = useState('')
  const [isBusy, setBusy] = useState(false)
  const { id, title, text, confirm, fields = [], danger, run, close } = question

  useEffect(() => element.current?.showModal(), [])

  /** Closes the dialog while its element is there: then the focus returns to what had it. */
  function leave(isDone: boolean) {
    element.current?.close()
    close(isDone)
  }

  async function submit(event: SubmitEvent) {
    event.preventDefault()
    if (isBusy || !(event.target instanceof HTMLFormElement)) return
    setBusy(true)
    setProblem('')
    try {
      await run?.(valuesIn(event.target))
      leave(true)
    } catch (error) {
      setProblem(explain(error))
      setBusy(false)
    }
  }

  function cancel(event: Event) {
    event.preventDefault()
    if (!isBusy) leave(false)
  }

  return h(
    'dialog',
    { ref: element, 'aria-labelledby': `question-${id}`, onCancel: cancel },
    h(
      'form',
      { onSubmit: submit },
      h('h2', { id: `question-${id}` }, title),
      h('div', { class: 'text' }, text),
      h(Fields, { fields, prefix: `question-${id}` }),
      h('p', { class: 'problem', role: 'alert' }, problem),
      h(
        'div',
        { class: 'buttons' },
        run && h('button', { type: 'button', onClick: cancel, 'aria-disabled': isBusy }, 'Cancel'),
        h(
          'button',
          { type: 'submit', class: danger ? 'danger' : 'primary', 'aria-disabled': isBusy },
          isBusy ? 'Working…' : confirm,
        ),
      ),
    ),
  )
}
