import { type ComponentChildren, h } from 'preact'
import { Abandoned, Refused, Unfit } from '../app/refused.ts'
import { duration } from './time.ts'

/** Says what went wrong, and what can be done. */
export function explain(error: unknown): string {
  if (error instanceof Abandoned) return 'Nothing was done: the password was not confirmed.'
  if (error instanceof Unfit) return error.message
  if (error instanceof Refused) {
    const { problem, message, retryAfter } = error
    const values = problem.errors?.map((value) => `${nameIn(value.pointer)} ${value.message}`)
    if (values?.length) return `${values.join('; ')}.`
    if (problem.status === 429 && retryAfter) return `${message} Try again in ${duration(retryAfter)}.`
    // Something in between has answered if there is no request.
    if (problem.status < 500 || !problem.request_id) return message
    return `${message} If it stays so, look for the request in the log: ${problem.request_id}.`
  }
  if (error instanceof DOMException && error.name === 'TimeoutError')
    return 'The service has not answered for too long. Try again; if it stays so, look at the overview.'
  if (error instanceof SyntaxError)
    return 'The answer was not from the service: something in between has answered. Try again.'
  if (error instanceof TypeError)
    return 'The service cannot be reached. Check the connection, then try again.'
  return String(error)
}

/** The name of a value as the fields have it: `/body/max_bytes` is "Max bytes". */
function nameIn(pointer: string): string {
  const name = pointer.replace(/^\/\w+\//, '').replaceAll(/[_/]/g, ' ')
  return `${name.slice(0, 1).toUpperCase()}${name.slice(1)}`
}

/** Stands where something could not be loaded. */
export function Failure({ error, retry }: { error: unknown; retry: () => void }): ComponentChildren {
  return h(
    'div',
    { class: 'state', role: 'alert' },
    h('p', null, explain(error)),
    h('button', { type: 'button', onClick: retry }, 'Try again'),
  )
}

/** Stands where something is loaded. */
export function Loading(): ComponentChildren {
  return h('div', { class: 'state loading', role: 'status' }, h('p', null, 'Loading…'))
}

/** Stands where there is nothing, and says what can be done. */
export function Empty({ children }: { children?: ComponentChildren }): ComponentChildren {
  return h('div', { class: 'state' }, h('p', null, children))
}
