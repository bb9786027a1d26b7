import { globSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'

/**
 * Hears how every statement of this process is run, from now on, if the server sends it: auto_explain writes
 * plans into the log, and a client may have what is logged as notices.
 */
export function hearPlans(): string[] {
  const plans: string[] = []
  const { connect } = pg.Client.prototype
  Object.assign(pg.Client.prototype, {
    connect(this: pg.Client, ...args: Parameters<typeof connect>) {
      this.on('notice', ({ message }) => {
        if (message?.includes('Query Text:')) plans.push(message)
      })
      return connect.apply(this, args)
    },
  })
  return plans
}

/** Settings that make a database send the plans of all statements to the client. */
export function explainAll(database: string): string[] {
  const settings = {
    session_preload_libraries: 'auto_explain',
    'auto_explain.log_min_duration': '0',
    'auto_explain.log_level': 'notice',
    'auto_explain.log_nested_statements': 'on',
    'auto_explain.log_analyze': 'on',
    'auto_explain.log_timing': 'off',
  }
  return Object.entries(settings).map(
    ([name, value]) => `ALTER DATABASE "${database}" SET ${name} = '${value}'`,
  )
}

/** Patterns of the names of all statements below some folders, one for each that is written somewhere. */
export async function statementNames(folders = '{lib,services}/**'): Promise<RegExp[]> {
  const root = join(import.meta.dirname, '../..')
  const files = globSync(`${folders}/queries*.ts`, { cwd: root })
  const texts = await Promise.all(files.map((file) => readFile(join(root, file), 'utf8')))
  const names = texts.flatMap((text) => [...text.matchAll(/\bname: ['`]([^'`]+)['`]/g)])
  // A change whose event is written by the same statement has a name of its own.
  return names.map(([, name = '']) => new RegExp(`^${name.replaceAll(/\$\{[^}]*\}/g, '.+')}(:event)?$`))
}

/** More rows than a statement has to look at. */
const MANY = 2000

/** A plan with what it did: it read a large table from end to end, or many rows of which it needed none. */
export function isSlow(plan: string, largeTables: readonly string[]): boolean {
  const scanned = plan.matchAll(/Seq Scan on (\w+)\b.*?actual rows=(\d+)/g)
  const removed = plan.matchAll(/Rows Removed by (?:Filter|Index Recheck|Join Filter): (\d+)/g)
  return (
    scanned.some(([, table = '', rows]) => largeTables.includes(table) && Number(rows) > MANY) ||
    removed.some(([, rows]) => Number(rows) > MANY)
  )
}
