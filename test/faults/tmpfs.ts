import { execFileSync, spawnSync } from 'node:child_process'
import { chmod, mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'

/** A small disk of a test's own. */
export interface SmallDisk {
  readonly directory: string
  /** Leaves no room on it. */
  fill(): Promise<void>
  /** Frees the space. */
  empty(): Promise<void>
}

/** Why there can be no small disk here, or false when there can. */
export function lacksMounts(): string | false {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'needs root on Linux, to mount a tmpfs'
  // In a mount namespace of its own, so that nothing is left of the attempt.
  const attempt = spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', tmpdir()])
  return attempt.status === 0 ? false : 'may not mount a tmpfs here'
}

/** Mounts a tmpfs of so many MiB; it is gone when `t` ends, once what `t` started on it has ended. */
export async function mountSmallDisk(t: Test, megabytes: number): Promise<SmallDisk> {
  const directory = await mkdtemp(join(tmpdir(), 'groundwork-disk-'))
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=0755`, 'tmpfs', directory])
  t.teardown(async () => {
    execFileSync('umount', ['--lazy', directory])
    await rm(directory, { recursive: true })
  })
  await chmod(directory, 0o755)
  const ballast = join(directory, 'ballast')
  return {
    directory,
    async fill() {
      const file = await open(ballast, 'a')
      try {
        for (;;) await file.write(Buffer.alloc(4096))
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error
      } finally {
        await file.close()
      }
    },
    empty: () => rm(ballast, { force: true }),
  }
}
