import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { environment, startProcess } from '#test/support/process.ts'

const ROOT = join(import.meta.dirname, '../..')

interface Manifest {
  name: string
  version: string
  dependencies: Record<string, string>
  devDependencies: Record<string, string>
  optionalDependencies: Record<string, string>
  allowScripts: Record<string, boolean>
}

interface LockedPackage extends Partial<Manifest> {
  resolved?: string
  integrity?: string
  link?: boolean
  dev?: boolean
  hasInstallScript?: boolean
}

interface BillOfMaterials {
  metadata: { component: object; timestamp: string }
  components: {
    'bom-ref': string
    type: string
    version: string
    purl: string
    hashes: { alg: string; content: string }[]
    licenses: object[]
  }[]
  dependencies: { ref: string; dependsOn: string[] }[]
}

async function read<T>(name: string): Promise<T> {
  return JSON.parse(await readFile(join(ROOT, name), 'utf8'))
}

const manifest = await read<Manifest>('package.json')
const { packages } = await read<{ packages: Record<string, LockedPackage> }>('package-lock.json')
const locked = Object.entries(packages).filter(([path]) => path !== '')
const nameOf = (path: string) => path.replace(/^.*node_modules\//, '')

t.test('every dependency is asked for in one version', async (t) => {
  const { dependencies, devDependencies, optionalDependencies } = manifest
  const asked = { dependencies, devDependencies, optionalDependencies }
  const wanted = { ...dependencies, ...devDependencies, ...optionalDependencies }
  t.ok(Object.keys(wanted).length > 30)
  for (const [name, version] of Object.entries(wanted)) {
    t.match(version, /^\d+\.\d+\.\d+(?:-[\w.]+)?$/, name)
    t.equal(packages[`node_modules/${name}`]?.version, version, `${name} is locked in it`)
  }
  const root = packages[''] ?? {}
  t.strictSame(Object.fromEntries(Object.keys(asked).map((kind) => [kind, Object(root)[kind]])), asked)
})

t.test('every package in the lockfile comes from the registry and has a digest', async (t) => {
  for (const [path, { integrity, resolved, link }] of locked) {
    t.match(integrity, /^sha512-[\w+/]{86}==$/, path)
    t.equal(resolved, undefined, `${path} names no address`)
    t.notOk(link, `${path} is not a folder`)
  }
})

t.test('each install script is allowed or refused by name', async (t) => {
  const withScripts = locked.filter(([, { hasInstallScript }]) => hasInstallScript)
  const names = [...new Set(withScripts.map(([path]) => nameOf(path)))]
  t.strictSame(names.sort(), Object.keys(manifest.allowScripts).sort())
  t.ok(
    withScripts.every(([, { dev }]) => dev),
    'production has none',
  )
  t.match(await readFile(join(ROOT, 'Dockerfile'), 'utf8'), 'npm ci --omit=dev --ignore-scripts')
})

t.test('npm run sbom lists what production is made of', async (t) => {
  const command = startProcess(t, process.execPath, ['commands/sbom.ts'], { cwd: ROOT, env: environment() })
  t.match(await command.exited, { code: 0 }, command.stderr())
  const bill: BillOfMaterials = JSON.parse(command.stdout())
  t.match(bill, { bomFormat: 'CycloneDX', specVersion: /^1\.[5-9]$/, serialNumber: /^urn:uuid:/, version: 1 })
  const { name, version } = manifest
  t.match(bill.metadata, { component: { type: 'application', name, version } })
  t.ok(Date.parse(bill.metadata.timestamp))

  const production = locked.filter(([, { dev }]) => !dev)
  const expected = production.map(([path, { version }]) => `${nameOf(path)}@${version}`)
  const listed = bill.components.map((component) => component['bom-ref'])
  t.strictSame(listed.sort(), [...new Set(expected)].sort())
  // npm's own --omit=dev leaves these out, for development needs them too.
  for (const name of ['pg', 'nodemailer', 'uuid']) {
    t.ok(listed.includes(`${name}@${manifest.dependencies[name]}`), name)
  }
  for (const name of Object.keys(manifest.devDependencies)) {
    if (packages[`node_modules/${name}`]?.dev)
      t.notOk(
        listed.some((ref) => ref.startsWith(`${name}@`)),
        name,
      )
  }

  for (const { type, version, purl, hashes, licenses } of bill.components) {
    t.equal(type, 'library', purl)
    t.ok(purl.startsWith('pkg:npm/') && purl.endsWith(`@${version}`), purl)
    t.match(hashes, [{ alg: 'SHA-512', content: /^[0-9a-f]{128}$/ }], purl)
    t.ok(licenses.length > 0, `${purl} has a licence`)
  }
  const known = new Set([...listed, `${name}@${version}`])
  t.strictSame(new Set(bill.dependencies.map(({ ref }) => ref)), known)
  const unknown = bill.dependencies.flatMap(({ dependsOn }) => dependsOn.filter((ref) => !known.has(ref)))
  t.strictSame(unknown, [], 'the graph leads to what is listed')
})
