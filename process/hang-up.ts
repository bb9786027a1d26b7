import { fstatSync, readFileSync, readlinkSync } from 'node:fs'
import { basename } from 'node:path'

/**
 * Whether the process was started by `nohup`, so that the end of its terminal must not end it. Node takes back the
 * ignoring of SIGHUP that a process inherits, and so does npm, so this looks for the traces that nohup leaves: the
 * shell's variable `_`, standard input that can only be written to, output to nohup.out.
 */
export function outlivesTerminal(): boolean {
  return isNohup(process.env['_']) || isNohup(parentCommand()) || hasClosedInput() || writesNohupOut()
}

function isNohup(command: string | undefined): boolean {
  return command !== undefined && basename(command) === 'nohup'
}

/** The same variable of the process that started this one: a shell between may have set ours. Linux only. */
function parentCommand(): string | undefined {
  return attempt(() => readFileSync(`/proc/${process.ppid}/environ`, 'latin1'))
    ?.split('\0')
    .find((entry) => entry.startsWith('_='))
    ?.slice(2)
}

/** GNU nohup opens /dev/null for writing only in the terminal's place. */
function hasClosedInput(): boolean {
  const flags = attempt(() => readFileSync('/proc/self/fdinfo/0', 'latin1'))?.match(
    /^flags:\s*([0-7]+)/m,
  )?.[1]
  return (
    flags !== undefined &&
    (Number.parseInt(flags, 8) & 3) === 1 &&
    attempt(() => fstatSync(0).isCharacterDevice()) === true
  )
}

function writesNohupOut(): boolean {
  return ['1', '2'].some((fd) => isNohupOut(attempt(() => readlinkSync(`/proc/self/fd/${fd}`))))
}

function isNohupOut(file: string | undefined): boolean {
  return file !== undefined && basename(file) === 'nohup.out'
}

/** Undefined where the system has no such file, or does not show it. */
function attempt<T>(look: () => T): T | undefined {
  try {
    return look()
  } catch {
    return undefined
  }
}
