// What the scripts of the account pages share: the page's form, its token, and its messages.

import { findToken } from './link-token.js'

export const form = document.querySelector('form')

/** Takes the token out of the page's URL and shows the form; undefined, and a message, if the URL has none. */
export function takeToken() {
  const token = findToken(location.href)
  // Out of the address bar, the history, and whatever is copied from there.
  history.replaceState(null, '', new URL(cleanPath(), location.href))
  if (token) form.hidden = false
  else reveal('.missing')
  return token
}

/** The page's own path: a mail program may have put the fragment into it. */
function cleanPath() {
  return location.pathname.replace(/(%23|[?&;#]|%3F).*$/i, '')
}

/**
 * Calls an operation while the form's buttons rest.
 *
 * @returns {Promise<{ problem?: object, answer?: object }>} the problem document, or the answer if it has a body
 */
export async function send(action, body) {
  const buttons = form.querySelectorAll('button')
  for (const button of buttons) button.disabled = true
  try {
    const response = await fetch(new URL(action, location.href), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    if (!response.ok) return { problem: await response.json() }
    return response.status === 204 ? {} : { answer: await response.json() }
  } catch {
    return {
      problem: { detail: 'There is no answer from the service at the moment. Please try again in a while.' },
    }
  } finally {
    for (const button of buttons) button.disabled = false
  }
}

const NAMES = { password: 'The password', username: 'The user name' }

/** Shows a problem beside the field that it is about, or above the button. */
export function showProblem(fields, { code, detail, errors = [] }) {
  if (code === 'invalid_one_time_token' || code === 'invitation_not_found') {
    showInstead('.invalid')
    return
  }
  let isShown = false
  // From the last to the first, which has the focus in the end.
  for (const field of fields.filter(Boolean).reverse()) {
    const messages = errors
      .filter(({ pointer }) => pointer === `/body/${field.name}`)
      .map(({ message }) => `${NAMES[field.name]} ${message}.`)
    if (messages.length === 0) continue
    showFieldError(
      field,
      field.name === 'email' ? 'Enter an email address such as ada@example.com.' : messages.join(' '),
    )
    isShown = true
  }
  if (isShown) return
  const problem = form.querySelector('.problem')
  problem.textContent = detail
  problem.hidden = false
}

export function showFieldError(field, message) {
  const error = document.getElementById(`${field.name}-error`)
  error.textContent = message
  error.hidden = false
  field.setAttribute('aria-invalid', 'true')
  field.focus()
}

export function clearProblems(fields) {
  form.querySelector('.problem').hidden = true
  for (const field of fields.filter(Boolean)) {
    document.getElementById(`${field.name}-error`).hidden = true
    field.removeAttribute('aria-invalid')
  }
}

export function showInstead(selector) {
  form.hidden = true
  reveal(selector).focus()
}

export function reveal(selector) {
  const element = document.querySelector(selector)
  element.hidden = false
  return element
}
