import { Readable } from 'node:stream'
import { canMakeCopies, makeCopy } from '#lib/images/make-copy.ts'
import { type Check, off, warning, wordsOf } from '../check.ts'

/** A PNG of one pixel. */
const IMAGE = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==',
  'base64',
)
/** Pixels of each side of the copy. */
const SIDE = 1

/** Whether smaller copies of images can be made here. */
const check: Check = {
  name: 'thumbnails',
  reads: ['files'],
  async run({ config: { files } }) {
    const { enabled, max_pixels: maxPixels, max_memory: maxMemory } = files.thumbnails
    if (files.store === 'none' || !enabled) {
      return [
        off(
          'No smaller copies of images are made.',
          'files.store is `none`, or files.thumbnails.enabled is off.',
          'Set APP_FILES__THUMBNAILS__ENABLED.',
        ),
      ]
    }
    const why = 'Clients that ask for a thumbnail get 404 or wait, unless another worker makes it.'
    if (!canMakeCopies()) {
      return [
        warning(
          'sharp is not installed, so no smaller copies of images are made here.',
          why,
          'Install the optional packages (`npm ci`), or set APP_FILES__THUMBNAILS__ENABLED=false.',
        ),
      ]
    }
    try {
      const size = { width: SIDE, height: SIDE, fit: 'inside' } as const
      await makeCopy(Readable.from([IMAGE]), { ...size, maxPixels, maxMemory })
      return []
    } catch (error) {
      return [
        warning(
          `A smaller copy of an image cannot be made: ${wordsOf(error)}.`,
          why,
          'Give the process that makes it more memory (APP_FILES__THUMBNAILS__MAX_MEMORY), or install sharp again.',
        ),
      ]
    }
  },
}
export default check
