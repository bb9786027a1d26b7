import { hash } from 'node:crypto'

// Merkle trees as RFC 9162 section 2.1 hashes them (SHA-256).

const LEAF = Buffer.of(0)
const NODE = Buffer.of(1)

export function leafHash(data: Uint8Array): Buffer {
  return hash('sha256', Buffer.concat([LEAF, data]), 'buffer')
}

function nodeHash(left: Buffer, right: Buffer): Buffer {
  return hash('sha256', Buffer.concat([NODE, left, right]), 'buffer')
}

/** The root over hashes of leaves, in their order; that of no leaves is the hash of nothing. */
export function merkleRoot(leaves: readonly Buffer[]): Buffer {
  if (leaves.length === 0) return hash('sha256', '', 'buffer')
  let level = leaves
  while (level.length > 1) level = nextLevel(level)
  return level[0] ?? Buffer.alloc(0)
}

/** The path of inclusion of the leaf at an index: the siblings from below, without those that a lone node skips. */
export function inclusionPath(leaves: readonly Buffer[], index: number): Buffer[] {
  const path: Buffer[] = []
  let level = leaves
  let at = index
  while (level.length > 1) {
    const sibling = level[at ^ 1]
    if (sibling !== undefined) path.push(sibling)
    level = nextLevel(level)
    at >>= 1
  }
  return path
}

/** The root that a leaf's path leads to (RFC 9162 section 2.1.3.2); undefined for a path of another length. */
export function rootOfPath(
  leaf: Buffer,
  index: number,
  size: number,
  path: readonly Buffer[],
): Buffer | undefined {
  let [at, last, node] = [index, size - 1, leaf]
  if (index < 0 || index >= size) return undefined
  for (const sibling of path) {
    if (last === 0) return undefined
    // A lone node at the right edge goes up as it is.
    while (at % 2 === 0 && at === last) [at, last] = [at >> 1, last >> 1]
    node = at % 2 === 1 ? nodeHash(sibling, node) : nodeHash(node, sibling)
    at >>= 1
    last >>= 1
  }
  while (last > 0 && at % 2 === 0 && at === last) [at, last] = [at >> 1, last >> 1]
  return last === 0 ? node : undefined
}

/** Pairs of nodes; the last one goes up as it is when it has no sibling. */
function nextLevel(level: readonly Buffer[]): Buffer[] {
  const next: Buffer[] = []
  for (let index = 0; index < level.length; index += 2) {
    const [left, right] = [level[index], level[index + 1]]
    if (left !== undefined) next.push(right === undefined ? left : nodeHash(left, right))
  }
  return next
}
