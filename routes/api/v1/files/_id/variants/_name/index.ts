import { OWN } from '#routes/api/v1/files/space.ts'
import { variantOf } from './variant.ts'

export default variantOf(OWN)
