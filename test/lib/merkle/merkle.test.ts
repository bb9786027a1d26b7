import { createHash } from 'node:crypto'
import t from 'tap'
import { inclusionPath, leafHash, merkleRoot, rootOfPath } from '#lib/merkle/merkle.ts'

/** The tree as RFC 9162 section 2.1.1 defines it, by itself. */
function definedRoot(data: readonly Buffer[]): Buffer {
  const sha = (...parts: Buffer[]) => createHash('sha256').update(Buffer.concat(parts)).digest()
  const [only] = data
  if (only === undefined) return sha()
  if (data.length === 1) return sha(Buffer.of(0), only)
  let split = 1
  while (split * 2 < data.length) split *= 2
  return sha(Buffer.of(1), definedRoot(data.slice(0, split)), definedRoot(data.slice(split)))
}

t.test('trees of every size have the root of RFC 9162, and each leaf a path to it', async (t) => {
  for (let size = 0; size <= 33; size++) {
    const data = Array.from({ length: size }, (_, index) => Buffer.from(`leaf ${index}`))
    const leaves = data.map(leafHash)
    const root = merkleRoot(leaves)
    t.same(root, definedRoot(data), `${size} leaves`)
    for (const [index, leaf] of leaves.entries()) {
      const path = inclusionPath(leaves, index)
      t.same(rootOfPath(leaf, index, size, path), root)
      const [other = leaf] = leaves.filter((candidate) => !candidate.equals(leaf))
      if (size > 1) t.notSame(rootOfPath(other, index, size, path), root)
      t.equal(rootOfPath(leaf, index, size, [...path, leaf]), undefined, 'a path that is too long')
    }
  }
  const leaf = leafHash(Buffer.from('x'))
  t.equal(rootOfPath(leaf, 1, 1, []), undefined)
  t.equal(rootOfPath(leaf, 0, 3, []), undefined, 'a path that is too short')
})
