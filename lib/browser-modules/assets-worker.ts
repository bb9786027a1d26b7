import { parentPort, workerData } from 'node:worker_threads'
import { makeAssets } from './make-assets.ts'

// Runs in a thread of its own: compression takes a core for a while, and requests must not wait for it. Node warns that
// taking types away is experimental, which would tell an operator nothing; the thread is started without that warning.
parentPort?.postMessage(await makeAssets(workerData))
