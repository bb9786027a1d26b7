/**
 * Looks for words that our English does without (test/words/words.ts), in all files of the repository but those that
 * are generated or must not change: `npm run words [FILE...]`. Exits with 1 when it finds any.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { offerHelp, refuseArguments } from '#commands/run-command.ts'
import { findWords } from './words.ts'

const ROOT = join(import.meta.dirname, '../..')

const CHECKED = /\.(?:ts|mjs|md|toml|ya?ml|sql|sh|conf|html|css)$|^Dockerfile$/

/** Migrations have checksums; records of decisions and changes are history; the rest is generated, or names the words. */
const LEFT_OUT =
  /^(?:migrations\/0(?:0\d|1[01])\.|CHANGELOG\.md$|docs\/decisions\/0[0-4]|docs\/configuration\.md$|deploy\/kubernetes\/rendered\.yaml$|test\/words\/|test\/docs\/words\.test\.ts$)/

function listFiles(): string[] {
  const output = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    cwd: ROOT,
    encoding: 'utf8',
  })
  return output.split('\n').filter((path) => CHECKED.test(path) && !LEFT_OUT.test(path))
}

const USAGE = 'Usage: npm run words [-- FILE...]\n'

offerHelp(USAGE)

const [, , ...chosen] = process.argv
if (chosen.some((argument) => argument.startsWith('-'))) {
  refuseArguments(USAGE)
  process.exit()
}
let count = 0
for (const path of chosen.length > 0 ? chosen : listFiles()) {
  let text: string
  try {
    text = readFileSync(join(ROOT, path), 'utf8')
  } catch {
    // Deleted, and not committed yet.
    continue
  }
  for (const { line, word, instead } of findWords(path, text)) {
    process.stderr.write(`${path}:${line}: "${word.trim()}": write ${instead}\n`)
    count++
  }
}
if (count > 0) {
  process.stderr.write(
    `\n${count} places. Rewrite the sentence; test/words/words.ts has the words, and the exceptions.\n`,
  )
  process.exitCode = 1
}
