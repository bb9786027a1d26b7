// The page of an invitation into an organization: it says who invites, asks for what is missing, and accepts or
// declines. The name of the organization was chosen by strangers: it is shown as text and never as markup.

import {
  clearProblems,
  form,
  reveal,
  send,
  showFieldError,
  showInstead,
  showProblem,
  takeToken,
} from './form.js'

const ACTIONS = form.dataset.action

/** What each need asks for. */
const FIELDS = { nothing: [], password: ['password'], account: ['username', 'password'] }

const token = takeToken()
if (token) void start()

async function start() {
  form.hidden = true
  const { problem, answer } = await send(`${ACTIONS}/inspect`, { token })
  if (problem) {
    form.hidden = problem.code === 'invitation_not_found'
    // Without knowing what it is nobody can answer it.
    for (const part of form.querySelectorAll('dl, p, button')) part.hidden = true
    showProblem([], problem)
    return
  }
  form.hidden = false
  for (const name of ['organization_name', 'role', 'email']) {
    form.querySelector(`[data-part=${name}]`).textContent = answer[name]
  }
  const fields = FIELDS[answer.needs].map((name) => form.elements[name])
  for (const field of fields) field.closest('.field').hidden = false
  if (fields.length > 0) reveal(`.why-${answer.needs}`)
  form.elements.show.addEventListener('change', ({ target }) => {
    form.elements.password.type = target.checked ? 'text' : 'password'
  })
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    void accept(fields)
  })
  form.elements.decline.addEventListener('click', decline)
}

async function accept(fields) {
  clearProblems(fields)
  const empty = fields.find(({ value }) => value === '')
  if (empty) {
    showFieldError(empty, empty.name === 'username' ? 'Enter a user name.' : 'Enter a password.')
    return
  }
  const chosen = Object.fromEntries(fields.map(({ name, value }) => [name, value]))
  const { problem } = await send(`${ACTIONS}/accept`, { token, ...chosen })
  if (problem) showProblem(fields, problem)
  else showInstead('.done')
}

async function decline() {
  const { problem } = await send(`${ACTIONS}/decline`, { token })
  if (problem) showProblem([], problem)
  else showInstead('.declined')
}
