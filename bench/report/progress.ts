const WIDTH = 24

/** Where a run is: a bar that is redrawn on a terminal, lines elsewhere. On standard error: tables have the output. */
export class Progress {
  readonly #stream: NodeJS.WriteStream
  /** Share of the run before the present part, share of that part, and share of the part that is done. */
  #before = 0
  #part = 0
  #done = 0

  constructor(stream: NodeJS.WriteStream = process.stderr) {
    this.#stream = stream
  }

  /** A part of the run begins; shares are of the whole. */
  begin(before: number, share: number): void {
    this.#before = before
    this.#part = share
    this.#done = 0
  }

  /** A step begins that is this share of the part. */
  step(share: number, what: string): void {
    this.note(what)
    this.#done += share
  }

  /** Says what goes on within the step. */
  note(what: string): void {
    const share = this.#before + this.#part * Math.min(1, this.#done)
    const text = `${bar(share)} ${String(Math.floor(share * 100)).padStart(3)} %  ${what}`
    if (this.#stream.isTTY) this.#stream.write(`\r\x1b[2K${text.slice(0, this.#stream.columns - 1)}`)
    else this.#stream.write(`${text}\n`)
  }

  /** Makes room for other output. */
  clear(): void {
    if (this.#stream.isTTY) this.#stream.write('\r\x1b[2K')
  }
}

/** A bar that is filled by `share` (0 to 1). */
export function bar(share: number): string {
  const filled = Math.round(share * WIDTH)
  return `${'█'.repeat(filled)}${'░'.repeat(WIDTH - filled)}`
}
