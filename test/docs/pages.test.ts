import { access, glob, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import t from 'tap'

const ROOT = join(import.meta.dirname, '../..')
const MAX_LINES = 250
const MAX_COLUMNS = 120

/** Pages that may be longer: a generated reference, and a history. */
const LONG_PAGES = new Set(['docs/configuration.md', 'CHANGELOG.md'])

/** Folders whose comments, messages and alerts name pages. */
const SOURCES = '{bench,commands,config,deploy,lib,plugins,process,routes,schemas,services,test}'

async function find(...patterns: string[]): Promise<string[]> {
  const names: string[] = []
  for await (const name of glob(patterns, { cwd: ROOT })) names.push(name)
  return names.sort()
}

const read = (name: string) => readFile(join(ROOT, name), 'utf8')
const pages = await find('*.md', 'docs/**/*.md')

/** The anchors of a document's headings, as GitHub makes them. */
function anchorsOf(markdown: string): string[] {
  return [...withoutCode(markdown).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  )
}

function withoutCode(markdown: string): string {
  return markdown.replace(/^ *```[\s\S]*?^ *```$/gm, '')
}

/** Whether a line may be long: a table's row, or one that a URL or a link's target makes long. */
function mayBeLong(line: string): boolean {
  return line.startsWith('|') || line.replace(/\]\([^)]*\)|https?:\S+/g, '').length <= MAX_COLUMNS
}

t.test('links between the documents lead somewhere', async (t) => {
  t.ok(pages.length > 8, 'documents are found')
  for (const page of pages) {
    for (const [, link = ''] of (await read(page)).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(link)) continue
      const [path = '', anchor] = link.split('#')
      const target = path === '' ? page : join(dirname(page), path)
      await t.resolves(access(join(ROOT, target)), `${page}: ${link}`)
      if (anchor !== undefined) t.ok(anchorsOf(await read(target)).includes(anchor), `${page}: ${link}`)
    }
  }
})

t.test('pages that code, alerts and configuration name exist', async (t) => {
  const files = await find('*.ts', 'Dockerfile', `${SOURCES}/**/*.{ts,toml,yaml,yml,conf,sh,sql}`)
  t.ok(files.length > 300, 'files are found')
  for (const file of files) {
    for (const [, page = '', anchor] of (await read(file)).matchAll(/\b(docs\/[\w/-]+\.md)(?:#([\w-]+))?/g)) {
      t.ok(pages.includes(page), `${file}: ${page}`)
      if (anchor !== undefined)
        t.ok(anchorsOf(await read(page)).includes(anchor), `${file}: ${page}#${anchor}`)
    }
  }
})

t.test('every page can be reached from the first one', async (t) => {
  const reached = new Set(['README.md'])
  for (const page of reached) {
    for (const [, link = ''] of (await read(page)).matchAll(/\]\(([^)#\s]+\.md)/g)) {
      if (!/^https?:/.test(link)) reached.add(join(dirname(page), link))
    }
  }
  for (const page of pages) {
    if (!page.startsWith('docs/decisions/')) t.ok(reached.has(page), page)
  }
})

t.test('README.md says how long installing and testing take', async (t) => {
  t.match(
    await read('README.md'),
    /^Installing takes .+ minutes and .+ MB; the tests take .+ minutes on two cores\.$/m,
  )
})

t.test(
  `no page has more than ${MAX_LINES} lines, or a line of more than ${MAX_COLUMNS} columns`,
  async (t) => {
    for (const page of pages) {
      const text = await read(page)
      if (!LONG_PAGES.has(page)) t.ok(text.split('\n').length - 1 <= MAX_LINES, `${page}: its length`)
      const long = withoutCode(text)
        .split('\n')
        .filter((line) => !mayBeLong(line))
      t.same(long, [], `${page}: its lines`)
    }
  },
)
