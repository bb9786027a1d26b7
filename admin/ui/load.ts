import { signal } from '@preact/signals'
import { useEffect, useRef, useState } from 'preact/hooks'
import { Abandoned, Refused } from '../app/refused.ts'
import { isIdle, session } from '../app/session.ts'

/** Grows with each act, so that what is shown is loaded again. */
const acts = signal(0)

/** To be called after something was changed. */
export function changed(): void {
  acts.value++
}

/** The outcome of loading: a value or an error; neither while it is under way for the first time. */
export interface Loaded<T> {
  readonly value?: T | undefined
  /** The last attempt's; the value is then an older one. */
  readonly error?: unknown
  readonly isLoading: boolean
  reload(): void
}

interface State<T> {
  readonly key: string
  readonly value?: T | undefined
  readonly error?: unknown
  readonly isLoading: boolean
}

/** Somebody who types changes what is to be loaded with each letter. */
const TYPING_MS = 200

/**
 * Loads something when a component appears, again when `key` changes, and after each act.
 *
 * @param everyMs how often it is loaded again by itself, while the page can be seen
 * @param isTold whether that is not needed now
 */
export function useLoad<T>(
  key: string,
  load: (signal: AbortSignal) => Promise<T>,
  everyMs?: number,
  isTold: () => boolean = () => false,
): Loaded<T> {
  const [state, setState] = useState<State<T>>({ key, isLoading: true })
  const [round, setRound] = useState(0)
  const isFirst = useRef(true)
  const act = acts.value

  useEffect(() => {
    const abort = new AbortController()
    const run = async () => {
      setState((before) => ({ ...before, isLoading: true }))
      try {
        const value = await load(abort.signal)
        if (!abort.signal.aborted) setState({ key, value, isLoading: false })
      } catch (error) {
        // Who is signed out sees the page for signing in.
        const isOver = abort.signal.aborted || (error instanceof Abandoned && !session.value)
        // What was loaded before is old, and better than nothing, unless it is gone.
        const isGone = error instanceof Refused && error.problem.status === 404
        const old = (before: State<T>) => (before.key === key && !isGone ? { value: before.value } : {})
        if (!isOver) setState((before) => ({ key, ...old(before), error, isLoading: false }))
      }
    }
    const timer = setTimeout(run, isFirst.current ? 0 : TYPING_MS)
    isFirst.current = false
    const isNeeded = () => !document.hidden && !isTold() && !isIdle()
    const again = everyMs && setInterval(() => isNeeded() && void run(), everyMs)
    return () => {
      abort.abort()
      clearTimeout(timer)
      if (again) clearInterval(again)
    }
  }, [key, round, act])

  const reload = () => {
    // What went wrong is over as soon as somebody tries again.
    setState(({ error: _error, ...before }) => ({ ...before, isLoading: true }))
    setRound(round + 1)
  }
  // What another key has loaded is something else.
  if (state.key !== key && state.error === undefined) return { ...state, isLoading: true, reload }
  return { ...state, reload }
}
