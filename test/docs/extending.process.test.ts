// Among the first, because it runs the tests that the guide names.
import { cp, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import t from 'tap'
import { compileCache, startProcess } from '#test/support/process.ts'

const ROOT = join(import.meta.dirname, '../..')

/** Files that a clone does not have, or gets by a link. */
const LEFT_OUT = new Set(['.git', '.data', '.tap', 'node_modules', 'secrets'])

/** In the order in which their blocks build on each other. */
const PAGES = ['resource', 'service', 'routes', 'test', 'setting', 'context', 'mail', 'job', 'plugin']

/** Tests that a new resource can break, with few of the requests that the suite sends. */
const TESTS = [
  'routes/api/v1/organizations/notes',
  'routes/api/v1/commits',
  'services/notes/jobs',
  'services/mail/render',
  'config/settings-read',
  'plugins/http/order',
  ...['routes', 'house-rules', 'errors', 'document', 'canary'].map((name) => `contract/${name}`),
  'authorization/matrix',
  ...['catalogue', 'makers', 'roles', 'routes', 'rows'].map((name) => `tenancy/${name}`),
]

const OPERATIONS = ['createNote', 'getNote', 'updateNote', 'deleteNote', 'listNotes']

/** A fenced block, after a line that names its file or after another block of the same file. */
interface Block {
  path: string
  language: string
  text: string
}

function blocksOf(markdown: string): Block[] {
  let path = ''
  return [...markdown.matchAll(/^`([^`\n]+)`$|^```(\w+)\n([\s\S]*?)^```$/gm)].flatMap(
    ([, name, language = '', text = '']) => {
      path = name ?? path
      return name === undefined ? [{ path, language, text }] : []
    },
  )
}

/** Puts the added lines of a diff where its other lines stand, which must be one place, and takes the removed ones away. */
function patch(text: string, diff: string): string {
  const lines = diff.split('\n').slice(0, -1)
  const side = (sign: '+' | '-') =>
    lines
      .filter((line) => !line.startsWith(sign))
      .map((line) => `${line.slice(1)}\n`)
      .join('')
  const parts = text.split(side('+'))
  if (parts.length !== 2) throw new Error(`the place for this is not to be found:\n${diff}`)
  return parts.join(side('-'))
}

t.test('docs/extending.md, followed to the letter, leads to what it says', async (t) => {
  const tree = join(t.testdir({ tree: {} }), 'tree')
  for (const name of await readdir(ROOT)) {
    if (LEFT_OUT.has(name)) continue
    const filter = (source: string) => !source.endsWith('/deploy/secrets')
    await cp(join(ROOT, name), join(tree, name), { recursive: true, filter })
  }
  await symlink(join(ROOT, 'node_modules'), join(tree, 'node_modules'))

  const versions = (await readdir(join(ROOT, 'migrations'))).map((name) => Number.parseInt(name, 10))
  const next = String(Math.max(...versions) + 1).padStart(3, '0')
  const blocks: Block[] = []
  for (const page of PAGES)
    blocks.push(...blocksOf(await readFile(join(ROOT, `docs/extending/${page}.md`), 'utf8')))
  const written: string[] = []
  for (const { path, language, text } of blocks.filter((block) => block.language !== 'sh')) {
    const file = join(tree, path.replace('NNN', next))
    const content = language === 'diff' ? patch(await readFile(file, 'utf8'), text) : text
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, content)
    written.push(path)
  }
  t.ok(written.length >= 13, `blocks are found: ${written.join(' ')}`)

  // Its tests use the server of this run, which ends after them.
  await symlink(join(ROOT, '.data'), join(tree, '.data'))
  const { PATH, HOME, TAP } = process.env
  const path = `${join(ROOT, 'node_modules/.bin')}:${PATH}`
  const env = {
    ...{ PATH: path, HOME, TAP, TAP_TIMEOUT: '900' },
    // The link to .data leads to what was compiled of this tree.
    ...compileCache(tree),
    // What the others allow is tested without the guide.
    GROUNDWORK_OPERATIONS: OPERATIONS.join(),
  }
  async function run(command: string, ...args: string[]): Promise<void> {
    const program = startProcess(t, command, args, { cwd: tree, env })
    const { code } = await program.exited
    t.equal(code, 0, `${command} ${args.join(' ')}`)
    if (code !== 0) t.comment(program.stdout(), program.stderr())
  }
  await run('node', 'commands/openapi.ts')
  const formatted = written.filter((path) => path.endsWith('.ts'))
  await run('biome', 'check', '--vcs-enabled=false', ...formatted)
  await run('tsc')
  await run('depcruise', '.')
  const suite = TESTS.map((name) => `await import('./${name}.test.ts')\n`)
  await writeFile(join(tree, 'test/guide.ts'), suite.join(''))
  await run('node', 'test/guide.ts')
  const only = OPERATIONS.flatMap((id) => ['--operation', id])
  await run('node', 'test/fuzz/main.ts', '--runs', '250', '--seed', '1', ...only)
})
