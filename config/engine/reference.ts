import type { TomlTable, TomlValue } from 'smol-toml'
import { Config, DEFAULT_ENVIRONMENT } from '../schema/schema.ts'
import { describeExpected } from './expectations.ts'
import { type ConfigKey, configKeys, type KeySchema } from './keys.ts'
import { CONFIG_DIRECTORY, DEFAULT_FILE, readToml, valueAt } from './toml-files.ts'

/** The environments that have a file of their own in this project. */
const ENVIRONMENTS = ['development', 'test', 'production']

const INTRODUCTION = `# Configuration

<!-- Generated from config/schema/*.ts and config/*.toml by \`npm run config:docs\`; edit those. -->

The configuration is read once, at start, from four layers. The highest layer that has a key determines its value:

1. environment variables, \`APP_SECTION__KEY\`;
2. \`config/local.toml\`, which is not in git: for your own machine;
3. \`config/{environment}.toml\`, where \`APP_ENVIRONMENT\` names the environment;
4. \`config/default.toml\`.

\`npm run config\` prints the effective configuration and the layer that each key came from, with secrets
masked; \`npm run config -- --json\` does so for programs. An invalid configuration ends the process with exit
code 1 after listing all problems, each with its variable: there is no silent fallback to a default.

- **Variables** are written in upper case, with two underscores between section and key. An unknown variable
  with two underscores is an error; other \`APP_\` variables are ignored. An empty variable is an empty
  text, not an absent one. White space and invisible characters around a value are not part of it. Quotation marks at
  both ends are an error: a shell and Compose take them away, \`docker run --env-file\` does not.
- **Lists** are arrays in TOML and comma-separated in variables (\`a,b\`); an empty variable is an empty list.
- **Durations** are written with a unit: \`500ms\`, \`15s\`, \`15m\`, \`24h\`, \`30d\`.
- **Sizes** are written with a unit: \`512B\`, \`256KiB\`, \`64MiB\`, \`1GiB\`.
- **Secrets** are never shown, and may come from a file: \`APP_JWT__SECRET_FILE=/run/secrets/jwt\` reads the
  file, without surrounding white space. Setting both the variable and its file is an error.
- **Environments** other than \`development\` and \`test\` follow the rules of production: \`database.url\` must
  be set, a secret that is in a committed file is refused, and so is \`*\` in \`cors.allowed_origins\`.
  Real secrets come from variables, from files that they name, or from \`config/local.toml\`.
- **Without APP_ENVIRONMENT** the service is for this machine only (\`server.local_only\`). It does not start when
  something says that others use it: a \`server.host\` beyond loopback, a \`server.public_url\` or \`database.url\` on
  another machine, \`server.trusted_proxies\`, \`NODE_ENV=production\`, or a variable of Kubernetes or a hosting
  platform. It refuses requests that a proxy or a tunnel brought. To develop over a network or in a container, set
  \`APP_ENVIRONMENT=development\`, or \`local_only = false\` in \`config/local.toml\`.
`

/**
 * The text of docs/configuration.md: how configuration works, and for each section a table of its keys.
 * @param directory the folder of the TOML files, from which the defaults come
 */
export function renderReference(directory: string = CONFIG_DIRECTORY): string {
  const files = new Map(ENVIRONMENTS.map((name) => [name, readToml(directory, `${name}.toml`, [])]))
  const defaults = { environment: DEFAULT_ENVIRONMENT, ...readToml(directory, DEFAULT_FILE, []) }
  const bySection = Map.groupBy(configKeys, (key) => key.sections.join('.'))
  const sections = [...bySection].map(([path, keys]) => {
    const rows = keys.map((key) => listCells(key, renderDefault(key, defaults, files)))
    return [...renderHeading(path), ...renderTable(rows), ''].join('\n')
  })
  return [INTRODUCTION, ...sections].join('\n')
}

function renderHeading(path: string): string[] {
  if (path === '') return ['## Environment and role', '']
  const section = path
    .split('.')
    .reduce<KeySchema>((schema, name) => ({ ...schema.properties?.[name] }), Config)
  return [`## ${path}`, '', wrap(`${section.description}`), '']
}

/** Breaks a paragraph into lines, as the pages of docs/ have them. */
function wrap(text: string): string {
  return text.replace(/(.{1,118})(?: |$)/g, '$1\n').trimEnd()
}

/** A row: key, variable, default, meaning. */
function listCells(key: ConfigKey, written: string): string[] {
  const secret = key.secret ? `**Secret**; also \`${key.variable}_FILE\`. ` : ''
  const meaning = `${secret}${key.schema.description} Must be ${describeExpected(key.schema)}.`
  return [`\`${key.path}\``, `\`${key.variable}\``, written, meaning].map((cell) =>
    cell.replaceAll('|', '\\|'),
  )
}

/** A table with padded cells, as the formatter wants Markdown. */
function renderTable(rows: readonly string[][]): string[] {
  const table = [['key', 'variable', 'default', 'meaning'], ['', '', '', ''], ...rows]
  const widths = [0, 1, 2, 3].map((column) => Math.max(...table.map((cells) => `${cells[column]}`.length)))
  return table.map((cells, row) => {
    const padded = widths.map((width, column) => `${cells[column]}`.padEnd(width, row === 1 ? '-' : ' '))
    return `| ${padded.join(' | ')} |`
  })
}

/** The default, and where an environment's file sets another value. */
function renderDefault(key: ConfigKey, defaults: TomlTable, files: ReadonlyMap<string, TomlTable>): string {
  const own = [...files].flatMap(([environment, table]) => {
    const value = valueAt(table, key.path)
    if (value === undefined) return []
    return [`${key.secret ? 'a public one' : renderWritten(value)} in ${environment}`]
  })
  return [renderWritten(valueAt(defaults, key.path)), ...own].join('; ')
}

function renderWritten(value: TomlValue | undefined): string {
  return value === undefined ? 'none' : `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``
}
