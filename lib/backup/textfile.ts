import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Manifest } from './manifest.ts'

/** Writes when the last good backup was made, for node_exporter's textfile collector. */
export async function writeTextfile(directory: string, { created_at, dump }: Manifest): Promise<void> {
  const path = join(directory, 'groundwork_backup.prom')
  const metrics = [
    gauge(
      'groundwork_backup_last_success_timestamp_seconds',
      'Moment (Unix time) whose state the last good backup holds.',
      Date.parse(created_at) / 1000,
    ),
    gauge('groundwork_backup_size_bytes', 'Size of the last good backup.', dump.size),
  ]
  // The collector reads whenever it likes, and only names that end with .prom.
  await writeFile(`${path}.partial`, metrics.join(''))
  await rename(`${path}.partial`, path)
}

function gauge(name: string, help: string, value: number): string {
  return `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${name} ${value}\n`
}
