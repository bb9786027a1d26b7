import type { Context } from '#lib/context.ts'
import { exportsOf } from '#lib/discovery/exports-of.ts'
import { isSink, type Sink } from './sink.ts'

const SERVICES = new URL('../', import.meta.url)

/** Returns every sink that a services/<domain>/sink.ts exports. */
export async function findSinks<Ctx extends Context>(services = SERVICES): Promise<Sink<Ctx>[]> {
  const values = await exportsOf('sink.ts', [services])
  return values.filter((value) => isSink<Ctx>(value))
}
