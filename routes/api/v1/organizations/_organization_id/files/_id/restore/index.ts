import { restore } from '#routes/api/v1/files/_id/restore/restore.ts'
import { ORGANIZATION } from '#routes/api/v1/files/space.ts'

export default restore(ORGANIZATION)
