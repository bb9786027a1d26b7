import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { stripTypeScriptTypes } from 'node:module'
import { promisify } from 'node:util'
import { brotliCompress, constants } from 'node:zlib'
import type { Asset, AssetSources, Assets, PackageFile } from './asset.ts'

const compress = promisify(brotliCompress)

/** Hexadecimal digits of a hash: 64 bits, more than enough to tell versions from each other. */
const HASH_DIGITS = 16

const TYPES: Readonly<Record<string, string>> = {
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  ts: 'text/javascript; charset=utf-8',
}

/**
 * Reads modules and styles and makes them ready for browsers: without types, and compressed once.
 *
 * @throws what the file system says, and SyntaxError for TypeScript that is more than types
 */
export async function makeAssets({ folder, packages }: AssetSources): Promise<Assets> {
  const own = await readdir(new URL(`${folder}/`), { recursive: true })
  const sources = [
    ...own.map((path): [string, PackageFile] => [path.replaceAll('\\', '/'), { url: `${folder}/${path}` }]),
    ...Object.entries(packages),
  ].filter(([path]) => typeOf(path) !== undefined)
  const files = await Promise.all(
    sources.map(async ([path, file]) => [path, await makeAsset(path, file)] as const),
  )
  files.sort(([a], [b]) => (a < b ? -1 : 1))
  const hash = createHash('sha256')
  for (const [path, { body }] of files) hash.update(`${path}\0${body.length}\0`).update(body)
  return { hash: hash.digest('hex').slice(0, HASH_DIGITS), files: new Map(files) }
}

async function makeAsset(path: string, { url, append = '' }: PackageFile): Promise<Asset> {
  const source = (await readFile(new URL(url), 'utf8')) + append
  const body = Buffer.from(path.endsWith('.ts') ? stripTypeScriptTypes(source) : source)
  const params = { [constants.BROTLI_PARAM_SIZE_HINT]: body.length }
  return { type: typeOf(path) ?? '', body, brotli: await compress(body, { params }) }
}

/** The media type of a file that browsers get; undefined for any other. */
function typeOf(path: string): string | undefined {
  return TYPES[path.slice(path.lastIndexOf('.') + 1)]
}
