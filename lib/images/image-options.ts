/** The copy that is to be made of an image. */
export interface ImageOptions {
  /** Pixels of the copy's sides, at most; it never becomes larger than the image. */
  readonly width: number
  readonly height: number
  /** `inside` keeps all of the image; `cover` fills the sides and cuts what is left. */
  readonly fit: 'inside' | 'cover'
  /** Pixels that the image may have. */
  readonly maxPixels: number
  /** Bytes of memory that the work may take. */
  readonly maxMemory: number
}

/** Type of every copy. */
export const COPY_TYPE = 'image/webp'
