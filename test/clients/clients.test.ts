/**
 * Generates clients from openapi.json with other people's generators, compiles them, and has each register, sign in,
 * read, list, change, read a refusal, and keep a file. It downloads the generators, so it is a command of its own: npm run
 * test:clients. A client whose tools are missing is skipped.
 */
import { execFile } from 'node:child_process'
import { cpSync, globSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { createTestApp } from '#test/support/helper.ts'
import { listen } from '#test/support/raw-http.ts'

t.setTimeout(3_600_000)

const ROOT = join(import.meta.dirname, '../..')
const MAVEN = 'https://repo1.maven.org/maven2'

/** Runs a program in the client's directory, and returns its standard output. */
type Exec = (program: string, ...args: string[]) => Promise<string>

interface Client {
  /** Programs that it needs; the first argument of each prints its version. */
  tools: (readonly [program: string, version: string])[]
  /** Generates, compiles and runs the client in a directory that holds its files and openapi.json. */
  run(exec: Exec, directory: string): Promise<string>
}

const clients: Record<string, Client> = {
  python: {
    tools: [['python3', '--version']],
    async run(exec) {
      await exec('python3', '-m', 'venv', 'venv')
      await exec('venv/bin/pip', 'install', '--quiet', 'openapi-python-client==0.29.1')
      const options = ['--path', 'openapi.json', '--config', 'config.yml', '--meta', 'none']
      const generator = 'venv/bin/openapi-python-client'
      await exec(generator, 'generate', ...options, '--output-path', 'groundwork_client', '--fail-on-warning')
      await exec('venv/bin/python', '-m', 'compileall', '-q', 'groundwork_client')
      return exec('venv/bin/python', 'main.py')
    },
  },

  typescript: {
    tools: [['npm', '--version']],
    async run(exec) {
      await exec('npm', 'install', '--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock')
      await exec('node_modules/.bin/orval', '--config', 'orval.config.mjs')
      await exec(join(ROOT, 'node_modules/.bin/tsc'), '--project', '.')
      return exec('node', 'main.mts')
    },
  },

  go: {
    tools: [['go', 'version']],
    async run(exec) {
      await exec('go', 'mod', 'init', 'groundwork.example/client')
      const options = ['-package', 'main', '-generate', 'types,client', '-o', 'client.gen.go', 'openapi.json']
      await exec('go', 'run', 'github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.8.2', ...options)
      await exec('go', 'get', 'github.com/oapi-codegen/runtime@v1.9.0')
      await exec('go', 'mod', 'tidy')
      await exec('go', 'vet', '.')
      return exec('go', 'run', '.')
    },
  },

  java: {
    tools: [['javac', '-version']],
    async run(exec, directory) {
      const jars = [
        'org/openapitools/openapi-generator-cli/7.25.0/openapi-generator-cli-7.25.0.jar',
        'jakarta/annotation/jakarta.annotation-api/1.3.5/jakarta.annotation-api-1.3.5.jar',
      ]
      for (const [index, jar] of jars.entries()) {
        const response = await fetch(`${MAVEN}/${jar}`)
        if (!response.ok) throw new Error(`${response.status} for ${jar}`)
        await writeFile(join(directory, `${index}.jar`), Buffer.from(await response.arrayBuffer()))
      }
      const packages = 'apiPackage=client,modelPackage=client,invokerPackage=client,openApiNullable=false'
      const options = ['-g', 'java', '--library', 'native', '--additional-properties', packages]
      await exec('java', '-jar', '0.jar', 'generate', '-i', 'openapi.json', '-o', 'generated', ...options)
      const sources = globSync('generated/src/main/**/*.java', { cwd: directory })
      // The generator holds the libraries that its clients use.
      const path = ['0.jar', '1.jar'].join(delimiter)
      await exec('javac', '-nowarn', '-proc:none', '-cp', path, '-d', 'classes', ...sources, 'Main.java')
      return exec('java', '-cp', [path, 'classes'].join(delimiter), 'Main')
    },
  },
}

const { app } = await createTestApp(t)
const BASE_URL = `http://127.0.0.1:${await listen(app)}`

for (const [name, { tools, run }] of Object.entries(clients)) {
  const skip = await missing(tools)
  t.test(`a ${name} client`, { skip }, async (t) => {
    const directory = t.testdir()
    cpSync(join(import.meta.dirname, name), directory, { recursive: true })
    cpSync(join(ROOT, 'openapi.json'), join(directory, 'openapi.json'))
    const env = { ...process.env, BASE_URL, NAME: `${name}-client` }
    const exec: Exec = async (program, ...args) => {
      const { stdout } = await promisify(execFile)(program, args, {
        cwd: directory,
        env,
        maxBuffer: 100_000_000,
      })
      return stdout
    }
    t.equal((await run(exec, directory)).trim(), 'done')
  })
}

/** Why a client is skipped; false when its tools are there. */
async function missing(tools: Client['tools']): Promise<string | false> {
  for (const [program, version] of tools) {
    try {
      await promisify(execFile)(program, [version])
    } catch {
      return `there is no ${program}`
    }
  }
  return false
}
