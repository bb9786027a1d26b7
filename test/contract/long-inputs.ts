/** A long text that a computation was given which may take more than linear time. */
export interface LongInput {
  what: 'normalize' | 'expression'
  /** Source of the expression. */
  source?: string
  length: number
}

/** Characters up to which a text is taken to be short. */
const SHORT = 2048

/** Expressions that are linear, by their beginnings, so that they may see whole bodies and headers. */
const LINEAR: readonly string[] = [
  // plugins/http/body/json.ts, and secure-json-parse: escapes of fixed length.
  String.raw`\\u(?:0000|d`,
  String.raw`"(?:_|\\u005[Ff])`,
  String.raw`"(?:c|\\u0063)`,
  // routes/metrics: begins at the start.
  '^bearer +',
  // Fastify's parameters of `Content-Type`: each begins at a semicolon, and has one way to go on.
  String.raw`(?:^|;)\s*([`,
  // The format `uuid`: begins at the start, and each part has one length.
  '^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-',
  // Of Node and tap, about modules that are loaded meanwhile.
  String.raw`\n|\u2028|\u2029`,
  String.raw`\/[*\/]#\s+sourceMappingURL`,
]

/** Has every expression and every normalisation of this process tell of long texts, until it is stopped. */
export function watchLongInputs(): { seen: LongInput[]; stop: () => void } {
  const seen: LongInput[] = []
  const { exec } = RegExp.prototype
  const { normalize } = String.prototype
  // What tests, replaces, matches and splits all calls it.
  RegExp.prototype.exec = function (text: string) {
    const { length } = String(text)
    if (length > SHORT && !LINEAR.some((beginning) => this.source.startsWith(beginning))) {
      seen.push({ what: 'expression', source: this.source, length })
    }
    return exec.call(this, text)
  }
  String.prototype.normalize = function (form?: string) {
    if (this.length > SHORT) seen.push({ what: 'normalize', length: this.length })
    return normalize.call(this, form)
  }
  return {
    seen,
    stop() {
      RegExp.prototype.exec = exec
      String.prototype.normalize = normalize
    },
  }
}
