import type { ImageOptions } from '#lib/images/image-options.ts'
import type { File, VariantName } from '#schemas/files.ts'

/** The shape of a copy. */
export type Size = Pick<ImageOptions, 'width' | 'height' | 'fit'>

const square = (side: number, fit: Size['fit']): Size => ({ width: side, height: side, fit })

/** The copies that there are of an image, by what the file is for. Clients can't ask for others, which would be without end. */
export const SIZES: Readonly<Record<File['purpose'], Readonly<Record<VariantName, Size>>>> = {
  attachment: { thumbnail: square(320, 'inside'), preview: square(1600, 'inside') },
  avatar: { thumbnail: square(96, 'cover'), preview: square(512, 'cover') },
}

/** Types of images that copies are made of. */
export const IMAGES: ReadonlySet<string> = new Set([
  ...['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/avif'],
])
