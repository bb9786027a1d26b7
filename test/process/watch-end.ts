import type { Test } from 'tap'
import { change } from '#test/support/change.ts'

/** Writes down what would end the process, which goes on. */
export function watchEnd(t: Test) {
  const done: unknown[] = []
  const note =
    (name: string) =>
    (...args: unknown[]) =>
      void done.push([name, ...args])
  change(t, process, 'execve', (file: string, args: string[]) => {
    const code = /exit[ (](\d+)/.exec(args.at(-1) ?? '')?.[1]
    done.push(['execve', Number(code)])
    programs.push([file, ...args])
  })
  change(t, process, 'kill', note('kill'))
  change(t, process, 'exit', note('exit'))
  const unref = () => done.push('unref')
  // One that is there has to go on.
  if (process.channel) change(t, process.channel, 'unref', unref)
  else change(t, process, 'channel', { unref })
  const { exitCode } = process
  t.teardown(() => {
    process.exitCode = exitCode
  })
  const programs: string[][] = []
  return { done, note, programs }
}
