/** Whether a body is packed. Nothing is unpacked, so that a small body can't become a large one (RFC 9110 section 8.4). */
export function isPacked(contentEncoding: string | undefined): boolean {
  return contentEncoding !== undefined && contentEncoding.toLowerCase() !== 'identity'
}
