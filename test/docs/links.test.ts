import { access, glob, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import t from 'tap'

const ROOT = join(import.meta.dirname, '../..')

/** The anchors of a document's headings, as GitHub makes them. */
function anchorsOf(markdown: string): string[] {
  return [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  )
}

t.test('links between the documents lead somewhere', async (t) => {
  const documents: string[] = []
  for await (const name of glob(['*.md', 'docs/**/*.md'], { cwd: ROOT })) documents.push(name)
  t.ok(documents.length > 8, 'documents are found')
  for (const document of documents) {
    const markdown = await readFile(join(ROOT, document), 'utf8')
    for (const [, link = ''] of markdown.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(link)) continue
      const [path = '', anchor] = link.split('#')
      const target = path === '' ? join(ROOT, document) : join(ROOT, dirname(document), path)
      await t.resolves(access(target), `${document}: ${link}`)
      if (anchor !== undefined)
        t.ok(anchorsOf(await readFile(target, 'utf8')).includes(anchor), `${link} is a heading`)
    }
  }
})
