import { upload } from './requests.ts'
import type { FilesStage } from './stage.ts'
import { say } from './transfers.ts'

/** Uploads at once, and their bytes. */
const [CROWD, BYTES] = [32, 32 * 1024 * 1024]

/** Bytes a second of each. */
const LINE = 8 * 1024 * 1024

const ROUNDS = 3

/** Memory that many uploads at once add to the process, once it has had as many before. */
export async function measureMemory({ service, token }: FilesStage): Promise<void> {
  const target = { origin: service.origin, token }
  const crowd = () => Promise.all(Array.from({ length: CROWD }, () => upload(target, BYTES, LINE)))
  const idle = (await service.usage())?.memory ?? Number.NaN
  let highest = 0
  const watching = setInterval(async () => {
    highest = Math.max(highest, (await service.usage())?.memory ?? 0)
  }, 100)
  for (let round = 0; round < ROUNDS; round++) {
    highest = 0
    await crowd()
    say(
      `${CROWD} uploads of ${BYTES / 1024 ** 2} MiB at once: ${mebibytes(highest)} MiB at most, ` +
        `${mebibytes(idle)} before the first`,
    )
  }
  clearInterval(watching)
}

const mebibytes = (bytes: number) => Math.round(bytes / 1024 ** 2)
