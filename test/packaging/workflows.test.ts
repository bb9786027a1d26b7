import { spawnSync } from 'node:child_process'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parse } from 'yaml'

const ROOT = join(import.meta.dirname, '../..')

interface Step {
  uses?: string
  run?: string
}

interface Workflow {
  permissions: Record<string, string>
  jobs: Record<string, { steps: Step[]; 'timeout-minutes': number }>
}

const files = globSync('.github/workflows/*.yml', { cwd: ROOT }).sort()
const { scripts }: { scripts: Record<string, string> } = JSON.parse(
  readFileSync(join(ROOT, 'package.json'), 'utf8'),
)

t.test('there is a workflow for changes, nights and releases', async (t) => {
  t.strictSame(
    files,
    ['check', 'nightly', 'release'].map((name) => `.github/workflows/${name}.yml`),
  )
})

for (const file of files) {
  t.test(file, async (t) => {
    const text = readFileSync(join(ROOT, file), 'utf8')
    const { permissions, jobs }: Workflow = parse(text)
    t.strictSame(permissions, { contents: 'read' }, 'no rights but to read, unless a job asks')
    const steps = Object.values(jobs).flatMap((job) => job.steps)
    for (const [, uses = ''] of text.matchAll(/uses: (.*)$/gm)) {
      t.match(uses, /^[\w.-]+\/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/, `pinned by a hash: ${uses}`)
    }
    for (const [name, job] of Object.entries(jobs)) t.type(job['timeout-minutes'], 'number', `${name} ends`)

    for (const run of steps.flatMap((step) => step.run ?? [])) {
      const { status, stderr } = spawnSync('bash', ['-n'], { input: run, encoding: 'utf8' })
      t.equal(status, 0, `a shell understands it: ${stderr}`)
      t.notMatch(run, /\$\{\{/, 'no expression becomes part of a script')
      for (const [, npm, name = ''] of run.matchAll(/\bnpm (run )?(?:--silent )?([\w:]+)/g)) {
        const isKnown = npm ? name in scripts : ['ci', 'install', 'test'].includes(name)
        t.ok(isKnown, `npm ${npm ?? ''}${name}`)
      }
      for (const [path] of run.matchAll(/\bdeploy\/[\w./-]+/g)) t.ok(existsSync(join(ROOT, path)), path)
    }
  })
}

t.test('the same action has the same version everywhere', async (t) => {
  const used = files.flatMap((file) => readFileSync(join(ROOT, file), 'utf8').match(/uses: .*@.*$/gm) ?? [])
  const names = new Set(used.map((line) => line.split('@', 1)[0]))
  t.equal(new Set(used).size, names.size)
})

t.test('dependabot looks after npm, actions and images', async (t) => {
  const { updates }: { updates: { 'package-ecosystem': string; directory: string }[] } = parse(
    readFileSync(join(ROOT, '.github/dependabot.yml'), 'utf8'),
  )
  const ecosystems = updates.map((update) => update['package-ecosystem'])
  for (const name of ['npm', 'github-actions', 'docker', 'docker-compose'])
    t.ok(ecosystems.includes(name), name)
  for (const { directory } of updates) t.ok(existsSync(join(ROOT, directory)), directory)
})
