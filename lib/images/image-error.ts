/** An image that no smaller copy can be made of: it is broken, too large, or takes too long. The message says which. */
export class ImageRefused extends Error {
  override name = 'ImageRefused'
}
