import type { Socket } from 'node:net'
import fp from 'fastify-plugin'

/** Milliseconds after the start of the listener in which connections are gathered. */
const START_MS = 5000

/** Milliseconds for which a connection is gathered at most. */
const GATHER_MS = 100

/**
 * Lets those who connect at once to a process that has just started be served at once. Node takes one connection in each
 * turn of the event loop and answers the requests of the others between two, so the last of 64 clients waited for a third
 * of a second while the first had twenty answers. Here a new connection is not read before a turn that brings no other
 * (docs/performance/results.md). Later on a turn is short.
 */
export default fp(
  async (app) => {
    let end = 0
    let gathered: Socket[] = []
    let begun = 0
    let grew = false

    app.server.on('listening', () => {
      end = performance.now() + START_MS
    })
    app.server.on('connection', (socket) => {
      if (performance.now() > end) return
      // Node has the socket read in the tick after this event.
      process.nextTick(() => socket.pause())
      grew = true
      if (gathered.push(socket) > 1) return
      begun = performance.now()
      setImmediate(endTurn)
    })

    function endTurn(): void {
      if (grew && performance.now() - begun < GATHER_MS) {
        grew = false
        setImmediate(endTurn)
        return
      }
      for (const socket of gathered) socket.resume()
      gathered = []
    }
  },
  { name: 'fair-start' },
)
