import { writeFileSync } from 'node:fs'
import { buffer } from 'node:stream/consumers'
import sharp from 'sharp'
import type { ImageOptions } from './image-options.ts'

// The program of the process that makes one copy of one image, and ends. An image from a stranger is decoded here, by
// native code, and nowhere else: so the process has no secrets, no connections, little memory, and little time. It reads
// the image from its standard input and writes the copy to its standard output.

/** Loaders of the types that images may have; all others, of which libvips has dozens, are never tried. */
const LOADERS = ['Jpeg', 'Png', 'Webp', 'Nsgif', 'Heif'].map((type) => `VipsForeignLoad${type}Buffer`)

/** Milliseconds between looks at the memory. */
const LOOK_MS = 10

/** Quality of WebP at which people see no difference. */
const QUALITY = 80

const { width, height, fit, maxPixels, maxMemory }: ImageOptions = JSON.parse(process.argv[2] ?? '{}')

// Where memory is scarce, the system ends this before the service.
try {
  writeFileSync('/proc/self/oom_score_adj', '1000')
} catch {
  // There is no such file on other systems.
}
setInterval(() => process.memoryUsage.rss() > maxMemory && refuse('it takes too much memory'), LOOK_MS)

sharp.cache(false)
sharp.concurrency(1)
sharp.block({ operation: ['VipsForeignLoad'] })
sharp.unblock({ operation: LOADERS })

try {
  const image = sharp(await buffer(process.stdin), { limitInputPixels: maxPixels, pages: 1, failOn: 'error' })
  // Turned as a camera noted it; what is not asked for, such as that note and the place, is left out of the copy.
  const copy = await image
    .autoOrient()
    .resize({ width, height, fit, withoutEnlargement: true })
    .webp({ quality: QUALITY })
    .toBuffer()
  process.stdout.end(copy, () => process.exit(0))
} catch (error) {
  refuse(error instanceof Error ? error.message : String(error))
}

function refuse(reason: string): void {
  writeFileSync(process.stderr.fd, reason)
  process.exit(1)
}
