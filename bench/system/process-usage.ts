import { readdir, readFile } from 'node:fs/promises'
import { endianness } from 'node:os'

/** Resources that a process and its descendants have used so far and hold now. */
export interface Usage {
  /** Seconds of processor time, of all cores together. */
  cpu: number
  /** Bytes of resident memory; what processes share is counted for each. */
  memory: number
}

/** One line of /proc/PID/stat. */
export interface ProcessStat {
  pid: number
  parent: number
  /** Clock ticks of its own and of children that have ended and were waited for. */
  ticks: number
  /** Pages. */
  resident: number
}

/** USER_HZ, which Linux has at 100 on every architecture that Node runs on. */
const TICKS_PER_SECOND = 100

/** ELF auxiliary vector: the entry that holds the size of a page. */
const AT_PAGESZ = 6n

/** Returns undefined if there is no /proc or no such process. */
export async function usageOf(root: number): Promise<Usage | undefined> {
  const stats = await readStats()
  const own = new Set([root])
  // Children have not always larger numbers than their parents, so go on until there is nothing new.
  for (let before = 0; before < own.size; ) {
    before = own.size
    for (const { pid, parent } of stats) if (own.has(parent)) own.add(pid)
  }
  const tree = stats.filter(({ pid }) => own.has(pid))
  if (!tree.some(({ pid }) => pid === root)) return undefined
  const sum = (pick: (stat: ProcessStat) => number) => tree.reduce((total, stat) => total + pick(stat), 0)
  return {
    cpu: sum(({ ticks }) => ticks) / TICKS_PER_SECOND,
    memory: sum(({ resident }) => resident) * (await pageSize()),
  }
}

async function readStats(): Promise<ProcessStat[]> {
  const names = await readdir('/proc').catch(() => [])
  const texts = names
    .filter((name) => /^\d+$/.test(name))
    .map((name) => readFile(`/proc/${name}/stat`, 'utf8').catch(() => ''))
  return (await Promise.all(texts)).flatMap((text) => parseStat(text) ?? [])
}

/** Reads a line of /proc/PID/stat (proc_pid_stat(5)); undefined for a process that has gone. */
export function parseStat(text: string): ProcessStat | undefined {
  // The name is in parentheses and may hold any character, so what counts begins after the last one.
  const end = text.lastIndexOf(')')
  if (end === -1) return undefined
  const fields = text.slice(end + 2).split(' ')
  const field = (number: number) => Number(fields[number - 3])
  return {
    pid: Number.parseInt(text, 10),
    parent: field(4),
    ticks: field(14) + field(15) + field(16) + field(17),
    resident: field(24),
  }
}

let knownPageSize: Promise<number> | undefined

function pageSize(): Promise<number> {
  knownPageSize ??= readFile('/proc/self/auxv').then(parsePageSize)
  return knownPageSize
}

/** Finds the size of a page in a process's auxiliary vector: pairs of 64-bit words. */
export function parsePageSize(vector: Buffer): number {
  const word = (at: number) =>
    endianness() === 'LE' ? vector.readBigUInt64LE(at) : vector.readBigUInt64BE(at)
  for (let at = 0; at + 16 <= vector.length; at += 16) if (word(at) === AT_PAGESZ) return Number(word(at + 8))
  return 4096
}
