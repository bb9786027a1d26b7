import type { File } from '#schemas/files.ts'

interface Purpose {
  /** Bytes that such a file may have, within the service's limit. */
  readonly maxSize: number
  /** Types that it may have, as its bytes say; any, without. */
  readonly types?: ReadonlySet<string>
}

/** The uses that files are made for. */
export const PURPOSES: Readonly<Record<File['purpose'], Purpose>> = {
  attachment: { maxSize: Number.MAX_SAFE_INTEGER },
  avatar: {
    maxSize: 5 * 1024 * 1024,
    types: new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/avif']),
  },
}
