import { text } from 'node:stream/consumers'
import t from 'tap'
import { withoutUnknownSettings } from '#lib/backup/settings-of-versions.ts'

const HEAD = "SET statement_timeout = 0;\nSET transaction_timeout = 0;\nSET client_encoding = 'UTF8';\n"
const DATA = '\n--\n-- Name: notes; Type: TABLE DATA\n--\nSET transaction_timeout = 0;\n\u00e9'

async function filtered(pieces: readonly string[], version: number): Promise<string> {
  const script = async function* () {
    for (const piece of pieces) yield Buffer.from(piece)
  }
  return text(withoutUnknownSettings(script(), version))
}

t.test(
  'a setting that the server does not know is left out, and data that looks like it is kept',
  async (t) => {
    const expected = HEAD.replace('SET transaction_timeout = 0;\n', '') + DATA
    t.equal(await filtered([HEAD + DATA], 15), expected)
    t.equal(await filtered([...(HEAD + DATA)], 16), expected, 'in pieces')
    const long = 'x'.repeat(20_000)
    t.equal(await filtered([HEAD, DATA, long, HEAD], 16), expected + long + HEAD)
    t.equal(await filtered([HEAD + DATA], 17), HEAD + DATA, 'a server that knows it gets it')
    t.equal(await filtered([], 15), '')
  },
)
