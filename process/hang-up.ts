import { readFileSync, readlinkSync, statSync } from 'node:fs'
import { basename } from 'node:path'

/** Processes between a terminal and the service: npm, its shell, scripts that start it. */
const MAX_ANCESTORS = 20

/** A process, and where the system shows it and others. */
interface Place {
  /** Linux shows processes here. */
  readonly proc: string
  readonly pid: number
  readonly parent: number
  /** The shell's variable `_`: the command that it ran. */
  readonly command: string | undefined
}

/**
 * Whether the process was started by `nohup`, or by a script that ignores SIGHUP, so that the end of its terminal must
 * not end it. Node takes back the ignoring of SIGHUP that a process inherits, and so does npm, so this looks for the
 * traces that are left: the shell's variable `_`, a script above npm that still ignores the signal, standard input that
 * can only be written to, output to nohup.out.
 */
export function outlivesTerminal(place: Place = ownPlace()): boolean {
  return (
    isNohup(place.command) || hasAncestorThatOutlives(place) || hasClosedInput(place) || writesNohupOut(place)
  )
}

function ownPlace(): Place {
  return { proc: '/proc', pid: process.pid, parent: process.ppid, command: process.env['_'] }
}

function isNohup(command: string | undefined): boolean {
  return command !== undefined && basename(command) === 'nohup'
}

/** Looks at the processes that started this one, up to the shell of its terminal. Linux only. */
function hasAncestorThatOutlives({ proc, pid: self, parent: first }: Place): boolean {
  const own = familyOf(proc, self).session
  let pid = first
  for (let count = 0; count < MAX_ANCESTORS && pid > 1; count++) {
    const { parent, session } = familyOf(proc, pid)
    // Another session has another terminal, or none.
    if (parent === undefined || session !== own) return false
    if (isNohup(commandOf(proc, pid))) return true
    // What the terminal's own shell ignores says nothing of what it starts.
    if (session === pid) return false
    if (ignoresHangUp(proc, pid)) return true
    pid = parent
  }
  return false
}

/** The variable `_` of a process: a shell between may have set ours. */
function commandOf(proc: string, pid: number): string | undefined {
  return attempt(() => readFileSync(`${proc}/${pid}/environ`, 'latin1'))
    ?.split('\0')
    .find((entry) => entry.startsWith('_='))
    ?.slice(2)
}

function familyOf(proc: string, pid: number): { parent: number | undefined; session: number | undefined } {
  // After the name in brackets, which may hold anything: state, parent, group, session.
  const stat = attempt(() => readFileSync(`${proc}/${pid}/stat`, 'latin1'))
  const [, parent, , session] =
    stat
      ?.slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number) ?? []
  return { parent, session }
}

/** SIGHUP is the first signal, so it is the lowest bit. */
function ignoresHangUp(proc: string, pid: number): boolean {
  const status = attempt(() => readFileSync(`${proc}/${pid}/status`, 'latin1'))
  const lowest = /^SigIgn:\s*[0-9a-f]*([0-9a-f])$/m.exec(status ?? '')?.[1]
  return (Number.parseInt(lowest ?? '0', 16) & 1) === 1
}

/** GNU nohup opens /dev/null for writing only in the terminal's place. */
function hasClosedInput({ proc, pid }: Place): boolean {
  const flags = attempt(() => readFileSync(`${proc}/${pid}/fdinfo/0`, 'latin1'))?.match(
    /^flags:\s*([0-7]+)/m,
  )?.[1]
  return (
    flags !== undefined &&
    (Number.parseInt(flags, 8) & 3) === 1 &&
    attempt(() => statSync(`${proc}/${pid}/fd/0`).isCharacterDevice()) === true
  )
}

function writesNohupOut({ proc, pid }: Place): boolean {
  return ['1', '2'].some((fd) => isNohupOut(attempt(() => readlinkSync(`${proc}/${pid}/fd/${fd}`))))
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
