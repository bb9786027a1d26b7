import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { type Document, type Schema, walk } from './document.ts'

/** The document that the rules are about. */
export const document: Document = JSON.parse(
  await readFile(join(import.meta.dirname, '../../openapi.json'), 'utf8'),
)

/** Declares a rule. What it finds must be exactly its exceptions, so that one that is no longer needed goes. */
export function rule(name: string, find: () => string[], exceptions: string[] = []): void {
  t.test(name, async (t) => {
    t.strictSame(find().sort(), exceptions.sort())
  })
}

/** Pointers to everything in the document that `breaks` finds. */
export function everywhere(breaks: (node: Schema, pointer: string) => boolean): string[] {
  const found: string[] = []
  walk(document, (node, pointer) => {
    if (breaks(node, pointer)) found.push(pointer)
  })
  return found
}
