/**
 * Frees the memory of a piece that nobody uses any more. V8's collector counts bytes outside its heap, and would go through
 * the whole heap for every 32 MiB that come: half of the processor time of an upload (docs/performance/features.md).
 */
export function free({ buffer, byteLength }: Uint8Array): void {
  // Small ones share their memory with others.
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0)
}
