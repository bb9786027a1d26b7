/** Types that a browser may show by itself: none of them can run. */
const SHOWN: ReadonlySet<string> = new Set([
  ...['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/avif'],
  ...['audio/mpeg', 'audio/ogg', 'audio/wav', 'audio/flac', 'audio/aac', 'audio/x-m4a'],
  ...['video/mp4', 'video/webm', 'video/ogg', 'text/plain'],
])

/** Types of what browsers run. They are sent as bytes of no type, on top of being for saving only. */
const RUNNABLE: ReadonlySet<string> = new Set(['text/html', 'image/svg+xml', 'application/xml'])

/** The `Content-Type` of a content. */
export function contentType(mediaType: string): string {
  if (mediaType === 'text/plain') return 'text/plain; charset=utf-8'
  return RUNNABLE.has(mediaType) ? 'application/octet-stream' : mediaType
}

/** `Content-Disposition` (RFC 6266): whether a browser shows or saves a content, and under which name. */
export function contentDisposition(name: string, mediaType: string, download: boolean): string {
  const kind = !download && SHOWN.has(mediaType) ? 'inline' : 'attachment'
  const plain = name.replace(/[^ -~]/g, '_').replace(/["\\%]/g, '_')
  // RFC 8187; what encodeURIComponent leaves and the grammar does not.
  const encoded = encodeURIComponent(name.toWellFormed()).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  const extended = plain === name ? '' : `; filename*=UTF-8''${encoded}`
  return `${kind}; filename="${plain}"${extended}`
}
