import { type ComponentChildren, h } from 'preact'
import { useState } from 'preact/hooks'
import { type Field, Fields, valuesIn } from '../ui/fields.ts'
import { explain } from '../ui/states.ts'
import { product } from './pages.ts'
import { Refused } from './refused.ts'
import { farewell, signIn } from './session.ts'

const FIELDS: readonly Field[] = [
  { name: 'email', label: 'Email address', kind: 'email', autocomplete: 'username' },
  { name: 'password', label: 'Password', kind: 'password' },
]

/** The page for signing in; the URL keeps the page that somebody wanted. */
export function SignIn(): ComponentChildren {
  const [problem, setProblem] = useState('')
  const [isBusy, setBusy] = useState(false)

  async function submit(event: SubmitEvent) {
    event.preventDefault()
    if (isBusy || !(event.target instanceof HTMLFormElement)) return
    const { email = '', password = '' } = valuesIn(event.target)
    setBusy(true)
    setProblem('')
    try {
      const refusal = await signIn(email, password)
      if (refusal) setProblem(adviceOn(new Refused(refusal)))
    } catch (error) {
      setProblem(explain(error))
    }
    setBusy(false)
  }

  return h(
    'main',
    { class: 'sign-in' },
    h(
      'form',
      { onSubmit: submit },
      h('h1', null, product, h('span', null, 'admin')),
      farewell.value && h('p', { role: 'status' }, farewell.value),
      h(Fields, { fields: FIELDS, prefix: 'sign-in' }),
      h('p', { class: 'problem', role: 'alert' }, problem),
      h('button', { type: 'submit', class: 'primary', disabled: isBusy }, isBusy ? 'Signing in…' : 'Sign in'),
      h(
        'p',
        { class: 'hint' },
        'For admins of the service. You are signed out after 15 minutes without use.',
      ),
    ),
  )
}

/** Anyone who is not an admin must not learn whether the password was right. */
function adviceOn(refusal: Refused): string {
  if (refusal.problem.code !== 'invalid_credentials') return explain(refusal)
  return 'No admin has this email address and password.'
}
