import { startTestServer } from '#test/support/test-server.ts'

// Run by tap after the last test file. The server stays when another run in this tree uses it.
const server = await startTestServer({ fresh: false })
await server.stop({ discard: true })
