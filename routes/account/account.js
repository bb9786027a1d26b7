// What a link in a mail opens. The token is in the fragment, which no server is sent. It is used when the
// button is pressed and not before, so that programs that look into mails for bad links use up no token.

const token = new URLSearchParams(location.hash.slice(1)).get('token')
// Out of the address bar, the history, and whatever is copied from there.
history.replaceState(null, '', location.pathname)

const form = document.querySelector('form')
const button = form.querySelector('button')
const problemBox = form.querySelector('.problem')
const password = form.querySelector('#password')
const passwordError = form.querySelector('#password-error')

if (token) form.hidden = false
else document.querySelector('.missing').hidden = false

form.elements.show?.addEventListener('change', ({ target }) => {
  password.type = target.checked ? 'text' : 'password'
})

form.addEventListener('submit', async (event) => {
  event.preventDefault()
  clearProblems()
  if (password?.value === '') {
    showPasswordError('Enter a password.')
    return
  }
  button.disabled = true
  const problem = await send()
  button.disabled = false
  if (problem) showProblem(problem)
  else showDone()
})

/** Gives undefined when it went well, else the problem document. */
async function send() {
  try {
    const response = await fetch(new URL(form.dataset.action, location.href), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(password ? { token, password: password.value } : { token }),
    })
    return response.ok ? undefined : await response.json()
  } catch {
    return { detail: 'There is no answer from the service at the moment. Please try again in a while.' }
  }
}

function showDone() {
  form.hidden = true
  const done = document.querySelector('.done')
  done.hidden = false
  done.focus()
}

function showProblem({ code, detail, errors = [] }) {
  // No other try with this link can do better.
  if (code === 'invalid_one_time_token') for (const part of form.children) part.hidden = part !== problemBox
  const ofPassword = errors.filter(({ pointer }) => pointer === '/body/password')
  const others = errors.filter(({ pointer }) => pointer !== '/body/password')
  if (password && ofPassword.length > 0) {
    showPasswordError(ofPassword.map(({ message }) => `The password ${message}.`).join(' '))
    if (others.length === 0) return
  }
  problemBox.textContent = detail
  if (others.length > 0) {
    const list = document.createElement('ul')
    for (const { message } of others) {
      const item = document.createElement('li')
      item.textContent = message
      list.append(item)
    }
    problemBox.append(list)
  }
  problemBox.hidden = false
}

function showPasswordError(message) {
  passwordError.textContent = message
  passwordError.hidden = false
  password.setAttribute('aria-invalid', 'true')
  password.focus()
}

function clearProblems() {
  problemBox.hidden = true
  if (!password) return
  passwordError.hidden = true
  password.removeAttribute('aria-invalid')
}
