import { Clamd } from '#lib/clamd/clamd.ts'
import { type Check, type Finding, off, problem, warning, wordsOf } from '../check.ts'

const DAY_MS = 86_400_000

/** Signatures that are older do not know what is new; ClamAV publishes some every day. */
const OLD_DAYS = 7

/** The test pattern of EICAR, which every scanner finds, in two halves so that none finds it here. */
const TEST_PATTERN = ['X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD', '-ANTIVIRUS-TEST-FILE!$H+H*'] as const

/** Whether the malware scanner is there, and finds what it should. */
const check: Check = {
  name: 'file scan',
  reads: ['files'],
  async run({ config: { files } }) {
    const { address, timeout, on_error } = files.scan
    if (files.store === 'none' || address === undefined) {
      return [
        off('Files are not scanned.', 'Malware is passed on as it came.', 'Set APP_FILES__SCAN__ADDRESS.'),
      ]
    }
    const scanner = new Clamd(address, timeout)
    try {
      const version = await scanner.version()
      const verdict = await scanner.scan(pattern())
      return [...(verdict.kind === 'infected' ? [] : [blind(version)]), ...lookAtAge(version)]
    } catch (error) {
      const why =
        on_error === 'hold' ? 'Nobody can read files that are sent from now on.' : 'Files are not scanned.'
      return [problem(wordsOf(error), why, 'Start clamd, or correct APP_FILES__SCAN__ADDRESS.')]
    }
  },
}
export default check

async function* pattern(): AsyncGenerator<Uint8Array> {
  yield Buffer.from(TEST_PATTERN.join(''))
}

function blind(version: string): Finding {
  return problem(
    `${version} does not find the test pattern of EICAR.`,
    'It has no signatures, or not those of ClamAV.',
    'Run freshclam where clamd runs.',
  )
}

/** `ClamAV 1.4.2/27500/Mon Jan 6 10:41:07 2026`; without signatures of ClamAV's own there is no date. */
function lookAtAge(version: string): Finding[] {
  const published = Date.parse(`${version.split('/')[2]} UTC`)
  const days = Math.floor((Date.now() - published) / DAY_MS)
  if (!(days > OLD_DAYS)) return []
  return [
    warning(
      `The signatures of the malware scanner are ${days} days old.`,
      'It does not find what is newer.',
      'Have freshclam run every day where clamd runs.',
    ),
  ]
}
