import { item } from '#routes/api/v1/files/_id/item.ts'
import { ORGANIZATION } from '#routes/api/v1/files/space.ts'

export default item(ORGANIZATION)
