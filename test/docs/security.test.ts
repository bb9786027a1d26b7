import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { findKey } from '#config/engine/keys.ts'

const root = join(import.meta.dirname, '../..')

/** Texts between backticks. */
function quoted(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8').replace(/^ *```[\s\S]*?^ *```$/gm, '')
  return [...text.matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code)
}

const FILE =
  /^(commands|config|docs|lib|migrations|plugins|routes|schemas|services|test)\/[\w./-]+\.(ts|sql|toml|md)$/
const SETTING = /^(auth|jwt|metrics|server)\.[a-z_.]+$/

const PAGES = ['docs/security.md', 'docs/signing-keys.md']

for (const page of [...PAGES, 'docs/architecture/finding-your-way.md']) {
  t.test(`${page}: the files that it names exist`, async (t) => {
    const files = [...new Set(quoted(page).filter((code) => FILE.test(code)))]
    t.ok(files.length > 0)
    for (const file of files) t.ok(existsSync(join(root, file)), file)
  })
}

for (const page of PAGES) {
  t.test(`${page}: the settings that it names exist`, async (t) => {
    const settings = [...new Set(quoted(page).filter((code) => SETTING.test(code)))]
    t.ok(settings.length > 0)
    const sections = ['auth.mail_limit', 'auth.login_limit']
    for (const setting of settings) t.ok(findKey(setting) ?? sections.includes(setting), setting)
  })
}

t.test('docs/security.md: every requirement has one line with a status', async (t) => {
  const text = readFileSync(join(root, 'docs/security.md'), 'utf8')
  // Requirements of levels 1 and 2 of the chapters of ASVS 5.0.0; of some sections all are in one line.
  const sections: Record<string, number[]> = {
    '6.1': [1, 2, 3],
    '6.2': [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
    '6.3': [1, 2, 3, 4],
    '6.4': [1, 2, 3, 4],
    '7.1': [1, 2, 3],
    '7.2': [1, 2, 3, 4],
    '7.3': [1, 2],
    '7.4': [1, 2, 3, 4, 5],
    '7.5': [1, 2],
    '7.6': [1, 2],
    '9.1': [1, 2, 3],
    '9.2': [1, 2, 3, 4],
  }
  const numbers = Object.entries(sections).flatMap(([section, last]) => last.map((n) => `${section}.${n}`))
  for (const number of [...numbers, '6.5.1 - 6.5.5', '6.6.1 - 6.6.3', '6.8.1 - 6.8.4']) {
    const lines = text.split('\n').filter((line) => line.startsWith(`| ${number} |`))
    t.equal(lines.length, 1, number)
    const [, , level = '', , status = ''] = lines[0]?.split('|').map((cell) => cell.trim()) ?? []
    t.match(level, /^[12]$/, number)
    t.match(status, /^(met|not met|not applicable)/, number)
  }
})
