import type { Socket } from 'node:net'
import type { Exchange } from '#plugins/http/connections/connections.ts'

/**
 * Goes on with a connection that has asked for another protocol when the answers to the requests before it are sent: the
 * client would take them for frames. Where the connection ends first, or with one of them, nothing follows.
 */
export function answersFirst(last: Exchange | undefined, socket: Socket, goOn: () => void): void {
  const response = last?.response
  if (response === undefined || response.writableFinished) {
    goOn()
    return
  }
  // Node does not look after the connection any more, and an answer in pieces waits for it.
  const drained = () => response.emit('drain')
  socket.on('drain', drained)
  response.once('finish', () => {
    socket.off('drain', drained)
    if (socket.writable) goOn()
  })
}
