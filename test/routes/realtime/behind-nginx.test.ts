import { once } from 'node:events'
import t from 'tap'
import { WebSocket } from 'ws'
import { createTestApp } from '#test/support/helper.ts'
import { startInstance } from '#test/support/instances.ts'
import { startShippedNginx, WITHOUT_NGINX } from '#test/support/nginx.ts'
import { realtimeUrl } from '#test/support/realtime.ts'

t.test('clients behind the nginx that we ship', { skip: WITHOUT_NGINX }, async (t) => {
  const { app, db, signUp } = await createTestApp(t)
  const other = await startInstance(t, db)
  const [one, two] = [await realtimeUrl(app), await realtimeUrl(other)]
  const origin = (url: string) => new URL(url.replace('ws:', 'http:')).origin
  const { plain } = await startShippedNginx(t, [origin(one), origin(two)])
  const { user, headers } = await signUp()

  /** Connects as often as there are instances, and more; returns what was answered. */
  const connect = async () => {
    const answers = new Set<string>()
    for (let time = 0; time < 4; time++) {
      const socket = new WebSocket(`${plain.replace('http:', 'ws:')}/realtime`)
      const [result] = await Promise.race([once(socket, 'open').then(() => ['open']), once(socket, 'error')])
      answers.add(String(result))
      socket.terminate()
      const leaving = new AbortController()
      const url = `${plain}/realtime/events?channels=user:${user.id}`
      const { status } = await fetch(url, { headers, signal: leaving.signal })
      answers.add(String(status))
      leaving.abort()
    }
    return [...answers].sort()
  }

  t.same(await connect(), ['200', 'open'])
  other.drain()
  t.same(await connect(), ['200', 'open'], 'an instance that is about to end refuses none of them')
  app.drain()
  t.same(await connect(), ['503', 'Error: Unexpected server response: 503'], 'but both')
  const answer = await fetch(`${plain}/api/v1/users/me`, { headers })
  t.equal(answer.status, 200, 'other requests are served')
})
