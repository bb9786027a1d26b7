// The account pages: what links in mails lead to, and the forms that ask for such a link. The token is in the
// fragment, which no server is sent. It is used when the button is pressed and not before, so that programs that
// look into mails for bad links use up no token.

import { findToken } from './link-token.js'

const form = document.querySelector('form')

if (form) start()

function start() {
  const asksEmail = form.dataset.asks === 'email'
  const token = asksEmail ? undefined : findToken(location.href)
  // Out of the address bar, the history, and whatever is copied from there.
  if (!asksEmail) history.replaceState(null, '', new URL(cleanPath(), location.href))
  if (asksEmail || token) form.hidden = false
  else reveal('.missing')

  const field = form.querySelector('.field > input')
  form.elements.show?.addEventListener('change', ({ target }) => {
    field.type = target.checked ? 'text' : 'password'
  })
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    submit(field, token)
  })
}

/** The page's own path: a mail program may have put the fragment into it. */
function cleanPath() {
  return location.pathname.replace(/(%23|[?&;#]|%3F).*$/i, '')
}

async function submit(field, token) {
  clearProblems(field)
  const value = field?.name === 'email' ? field.value.trim() : field?.value
  if (value === '') {
    showFieldError(field, field.name === 'email' ? 'Enter your email address.' : 'Enter a password.')
    return
  }
  const button = form.querySelector('button')
  button.disabled = true
  const problem = await send({ ...(token ? { token } : {}), ...(field ? { [field.name]: value } : {}) })
  button.disabled = false
  if (problem) showProblem(field, problem)
  else showInstead('.done')
}

/** Returns undefined when it went well, else the problem document. */
async function send(body) {
  try {
    const response = await fetch(new URL(form.dataset.action, location.href), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    return response.ok ? undefined : await response.json()
  } catch {
    return { detail: 'There is no answer from the service at the moment. Please try again in a while.' }
  }
}

function showProblem(field, { code, detail, errors = [] }) {
  if (code === 'invalid_one_time_token') {
    showInstead('.invalid')
    return
  }
  const ofField = errors.filter(({ pointer }) => pointer === `/body/${field?.name}`)
  if (ofField.length > 0) {
    const messages = ofField.map(({ message }) => `The password ${message}.`).join(' ')
    showFieldError(
      field,
      field.name === 'email' ? 'Enter an email address such as ada@example.com.' : messages,
    )
    return
  }
  const problem = form.querySelector('.problem')
  problem.textContent = detail
  problem.hidden = false
}

function showFieldError(field, message) {
  const error = document.getElementById(`${field.name}-error`)
  error.textContent = message
  error.hidden = false
  field.setAttribute('aria-invalid', 'true')
  field.focus()
}

function clearProblems(field) {
  form.querySelector('.problem').hidden = true
  if (!field) return
  document.getElementById(`${field.name}-error`).hidden = true
  field.removeAttribute('aria-invalid')
}

function showInstead(selector) {
  form.hidden = true
  reveal(selector).focus()
}

function reveal(selector) {
  const element = document.querySelector(selector)
  element.hidden = false
  return element
}
