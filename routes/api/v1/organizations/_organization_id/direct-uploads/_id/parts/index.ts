import { partsOf } from '#routes/api/v1/direct-uploads/_id/parts/parts.ts'
import { ORGANIZATION } from '#routes/api/v1/files/space.ts'

export default partsOf(ORGANIZATION)
