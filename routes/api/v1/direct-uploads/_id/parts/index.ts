import { OWN } from '#routes/api/v1/files/space.ts'
import { partsOf } from './parts.ts'

export default partsOf(OWN)
