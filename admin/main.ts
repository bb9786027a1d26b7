import { h, render } from 'preact'
import { startSession } from './app/session.ts'
import { Shell } from './app/shell.ts'

render(h(Shell, null), document.body)
await startSession()
