/** Bytes of a part; the last one may have less. */
const PART_BYTES = 16 * 1024 * 1024

/** Parts that an object may have. */
const MAX_PARTS = 10_000

const MEBIBYTE = 1024 * 1024

/** Bytes of each part but the last, for so many in all. */
export function partBytes(size: number): number {
  return Math.max(PART_BYTES, Math.ceil(size / MAX_PARTS / MEBIBYTE) * MEBIBYTE)
}

/** Bytes of all parts. */
export function partSizes(size: number): number[] {
  const bytes = partBytes(size)
  return Array.from({ length: Math.ceil(size / bytes) }, (_, index) => Math.min(bytes, size - index * bytes))
}
