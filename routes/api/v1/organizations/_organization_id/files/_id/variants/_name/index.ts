import { variantOf } from '#routes/api/v1/files/_id/variants/_name/variant.ts'
import { ORGANIZATION } from '#routes/api/v1/files/space.ts'

export default variantOf(ORGANIZATION)
