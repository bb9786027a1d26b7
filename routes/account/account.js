// The account pages: what links in mails lead to, and the forms that ask for such a link. The token is in the
// fragment, which no server is sent. It is used when the button is pressed and not before, so that programs that
// look into mails for bad links use up no token.

import { clearProblems, form, send, showFieldError, showInstead, showProblem, takeToken } from './form.js'

if (form) start(form)

function start(form) {
  const token = form.dataset.asks === 'email' ? undefined : takeToken()
  if (form.dataset.asks === 'email') form.hidden = false

  const field = form.querySelector('.field > input')
  form.elements.show?.addEventListener('change', ({ target }) => {
    field.type = target.checked ? 'text' : 'password'
  })
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    void submit(form, field, token)
  })
}

async function submit(form, field, token) {
  clearProblems([field])
  const value = field?.name === 'email' ? field.value.trim() : field?.value
  if (value === '') {
    showFieldError(field, field.name === 'email' ? 'Enter your email address.' : 'Enter a password.')
    return
  }
  const { problem } = await send(form.dataset.action, {
    ...(token ? { token } : {}),
    ...(field ? { [field.name]: value } : {}),
  })
  if (problem) showProblem([field], problem)
  else showInstead('.done')
}
