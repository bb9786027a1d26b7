/**
 * Measures files: `npm run bench:files -- [--mebibytes 1024]`: a large upload beside tusd and nginx, a download beside nginx
 * and by it, memory of uploads at once, reads meanwhile, and small files (docs/performance/features.md). tusd and nginx are
 * left out where they are not on the PATH; curl is needed. Exits with 1 when it fails, and with 2 for arguments that it does
 * not know.
 */
import { parseArgs } from 'node:util'
import { wholeNumber } from './arguments.ts'
import { measureMemory } from './files/memory.ts'
import { measureReads } from './files/reads.ts'
import { measureSmallFiles } from './files/small.ts'
import { type FilesStage, startFilesStage } from './files/stage.ts'
import { measureDownloads, measureUploads } from './files/transfers.ts'
import { type Place, runBench } from './own-run.ts'

const PARTS = {
  uploads: measureUploads,
  downloads: measureDownloads,
  memory: measureMemory,
  reads: measureReads,
  small: measureSmallFiles,
} satisfies Record<string, (stage: FilesStage) => Promise<void>>

const USAGE = `Usage: npm run bench:files -- [--mebibytes <n>] [--rounds <n>] [--only ${Object.keys(PARTS).join('|')}]\n`

interface Wanted {
  readonly mebibytes: number
  readonly rounds: number
  readonly only: string | undefined
}

await runBench({ name: 'files', usage: USAGE, read, work })

function read(args: string[]): Wanted | undefined {
  const options = {
    mebibytes: { type: 'string', default: '1024' },
    rounds: { type: 'string', default: '3' },
    only: { type: 'string' },
  } as const
  const { mebibytes, rounds, only } = parseArgs({ args, options }).values
  if (only !== undefined && !(only in PARTS)) return undefined
  return {
    mebibytes: wholeNumber(mebibytes, '--mebibytes'),
    rounds: wholeNumber(rounds, '--rounds'),
    only,
  }
}

async function work({ mebibytes, rounds, only }: Wanted, { directory, postgres }: Place): Promise<void> {
  const databaseUrl = await postgres.createDatabase('bench', 0, { policies: true })
  const stage = await startFilesStage({ directory, databaseUrl, postgres, mebibytes, rounds })
  try {
    for (const [name, measure] of Object.entries(PARTS))
      if (only === undefined || only === name) await measure(stage)
  } finally {
    await stage.stop()
  }
}
