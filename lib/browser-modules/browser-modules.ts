import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { AssetSources, Assets } from './asset.ts'

/** Assets by the folder that they are made of: a process has one set, however many applications it has. */
const made = new Map<string, Promise<Assets>>()

/**
 * Returns the modules of a folder as browsers get them. They are made once in each process, in a thread of their own.
 *
 * @throws what keeps them from being made; the next call tries again
 */
export function loadAssets(sources: AssetSources): Promise<Assets> {
  const { folder } = sources
  const assets = made.get(folder) ?? make(sources)
  made.set(folder, assets)
  assets.catch(() => made.delete(folder))
  return assets
}

async function make(sources: AssetSources): Promise<Assets> {
  const worker = new Worker(new URL('assets-worker.ts', import.meta.url), {
    workerData: sources,
    execArgv: ['--disable-warning=ExperimentalWarning'],
  })
  // `once` rejects with the error that ends the thread.
  const [assets]: [Assets] = await once(worker, 'message').then(([message]) => [message])
  return assets
}
