import { Readable } from 'node:stream'
import { crc32, deflateSync } from 'node:zlib'
import sharp from 'sharp'
import t, { type Test } from 'tap'
import type { ImageOptions } from '#lib/images/image-options.ts'
import { makeCopy } from '#lib/images/make-copy.ts'

const OPTIONS: ImageOptions = {
  width: 320,
  height: 320,
  fit: 'inside',
  maxPixels: 50_000_000,
  maxMemory: 512 * 1024 * 1024,
}

type Options = Partial<ImageOptions>

const copyOf = (image: Uint8Array, options: Options = {}) =>
  makeCopy(Readable.from([image], { objectMode: false }), { ...OPTIONS, ...options })

const plain = (width: number, height: number, channels: 3 | 4 = 3) =>
  sharp({
    create: { width, height, channels, background: { r: 200, g: 20, b: 20, alpha: 1 } },
    limitInputPixels: false,
  })

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type), data])
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(data.length)
  sum.writeUInt32BE(crc32(body))
  return Buffer.concat([length, body, sum])
}

/** A PNG of some kilobytes with as many pixels as it says. */
function hugePng(width: number, height: number): Buffer {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  // One bit of gray for each pixel.
  header.set([1, 0, 0, 0, 0], 8)
  const rows = deflateSync(Buffer.alloc((Math.ceil(width / 8) + 1) * Math.min(height, 2000)), { level: 9 })
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', rows),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

/** A GIF with so many frames of one pixel. */
function manyFrames(count: number): Buffer {
  const head = Buffer.from('474946383961010001008000000000000000ff', 'hex')
  const frame = Buffer.from('21f90400010000002c00000000010001000002024401 00'.replaceAll(' ', ''), 'hex')
  return Buffer.concat([head, ...Array.from({ length: count }, () => frame), Buffer.from(';')])
}

t.test('copies of images', async (t) => {
  await t.test('of every type, never larger than the image', async (t) => {
    for (const type of ['png', 'jpeg', 'webp', 'gif', 'avif'] as const) {
      const image = await plain(600, 400).toFormat(type).toBuffer()
      t.match(await sharp(await copyOf(image)).metadata(), { format: 'webp', width: 320, height: 213 }, type)
    }
    const small = await plain(20, 10).png().toBuffer()
    t.match(await sharp(await copyOf(small)).metadata(), { width: 20, height: 10 })
    const square = await copyOf(await plain(600, 400).png().toBuffer(), {
      width: 96,
      height: 96,
      fit: 'cover',
    })
    t.match(await sharp(square).metadata(), { width: 96, height: 96 })
    const clear = await copyOf(await plain(50, 50, 4).png().toBuffer())
    t.match(await sharp(clear).metadata(), { format: 'webp' })
  })

  await t.test('turned upright, without what the camera noted', async (t) => {
    const exif = { IFD0: { Copyright: 'somebody' }, IFD3: { GPSLatitude: '51/1 30/1 0/1' } }
    const image = await plain(600, 400).withExif(exif).withMetadata({ orientation: 6 }).jpeg().toBuffer()
    t.ok((await sharp(image).metadata()).exif, 'it was there')
    const copy = await copyOf(image)
    const metadata = await sharp(copy).metadata()
    t.match(metadata, { width: 213, height: 320 })
    for (const name of ['exif', 'icc', 'iptc', 'xmp', 'orientation'] as const)
      t.equal(metadata[name], undefined, name)
    t.notOk(copy.includes('somebody'))
  })

  await t.test('one page of many', async (t) => {
    t.match(await sharp(await copyOf(manyFrames(20_000))).metadata(), {
      width: 1,
      height: 1,
      pages: undefined,
    })
  })
})

/** Expects a refusal, and nothing left of the process. */
async function refused(t: Test, image: Uint8Array, message: RegExp, options: Options = {}): Promise<void> {
  await t.rejects(copyOf(image, options), { name: 'ImageRefused', message }, String(message))
}

t.test('what no copy is made of', async (t) => {
  await t.test('what is not an image, or of another type', async (t) => {
    await refused(t, Buffer.alloc(0), /empty/i)
    await refused(t, Buffer.from('not an image'), /unsupported/)
    await refused(
      t,
      Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'),
      /unsupported/,
    )
    await refused(t, await plain(10, 10).tiff().toBuffer(), /unsupported/)
    await refused(t, Buffer.from('%PDF-1.4\n%%EOF'), /unsupported/)
  })

  await t.test('what is broken', async (t) => {
    const noise = sharp({
      create: {
        width: 120,
        height: 120,
        channels: 3,
        background: 'gray',
        noise: { type: 'gaussian', mean: 128, sigma: 60 },
      },
    })
    for (const type of ['png', 'jpeg', 'webp', 'gif', 'avif'] as const) {
      const image = await noise.clone().toFormat(type).toBuffer()
      for (const length of [20, Math.floor(image.length / 2)])
        await t.rejects(
          copyOf(image.subarray(0, length)),
          { name: 'ImageRefused' },
          `${type}, ${length} bytes`,
        )
    }
  })

  await t.test('bombs', async (t) => {
    const image = hugePng(50_000, 50_000)
    t.ok(image.length < 100_000)
    await refused(t, image, /pixel limit/)
    await refused(t, hugePng(2_000_000, 30), /pixel limit|dimension|header|libpng/i)
    const wide = await plain(7000, 7000, 4).png({ progressive: true }).toBuffer()
    await refused(t, wide, /too much memory/, { maxMemory: 128 * 1024 * 1024 })
  })

  await t.test('what becomes a copy that is too large', async (t) => {
    const image = await plain(600, 400).png().toBuffer()
    const { length } = await copyOf(image)
    const stream = () => Readable.from([image], { objectMode: false })
    await t.rejects(makeCopy(stream(), OPTIONS, { maxBytes: length - 1 }), {
      name: 'ImageRefused',
      message: 'the copy is too large',
    })
    t.equal((await makeCopy(stream(), OPTIONS, { maxBytes: length })).length, length)
  })

  await t.test('what takes too long', async (t) => {
    const endless = Readable.from(
      (async function* () {
        yield Buffer.from('GIF89a')
        await new Promise(() => undefined)
      })(),
      { objectMode: false },
    )
    await t.rejects(makeCopy(endless, OPTIONS, { timeoutMs: 1500 }), {
      name: 'ImageRefused',
      message: 'it takes too long',
    })
    endless.destroy()
  })
})

t.test('failures that are not the image', async (t) => {
  const failure = new Error('the store is away')
  const failing = Readable.from(
    (async function* () {
      yield Buffer.from('GIF89a')
      throw failure
    })(),
    { objectMode: false },
  )
  await t.rejects(makeCopy(failing, OPTIONS), failure)
  const controller = new AbortController()
  const image = Readable.from([await plain(10, 10).png().toBuffer()], { objectMode: false })
  const copy = makeCopy(image, OPTIONS, { signal: controller.signal })
  controller.abort(new Error('the worker ends'))
  await t.rejects(copy, { message: 'the worker ends' })
  await t.rejects(makeCopy(Readable.from([]), OPTIONS, { signal: controller.signal }), {
    message: 'the worker ends',
  })
})
