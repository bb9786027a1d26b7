import type { Test } from 'tap'
import { createTestDatabase } from '#test/support/database.ts'
import { eventually } from '#test/support/eventually.ts'
import { call } from '#test/support/http.ts'
import { startService, type TestProcess } from '#test/support/process.ts'

export const WORKERS = { APP_SERVER__WORKERS: '2' }

/** The workers that listened so far, oldest first. */
export function workersOf({ logs }: TestProcess): number[] {
  return logs()
    .filter(({ msg }) => /^(Server|Worker) listening/.test(String(msg)))
    .map(({ pid }) => Number(pid))
}

export function runs(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** Waits until a text is in the log. */
export async function said({ stdout }: TestProcess, text: string): Promise<void> {
  await eventually(async () => stdout().includes(text))
}

/** Starts two, and waits until both serve. */
export async function withWorkers(t: Test, env: Record<string, string> = {}) {
  const db = await createTestDatabase(t)
  const service = await startService(t, { APP_DATABASE__URL: db.url, ...WORKERS, ...env })
  await eventually(async () => workersOf(service).length === 2)
  await eventually(async () => (await call(`${service.url}/ready`)).status === 200)
  return { service, db, url: service.url }
}
