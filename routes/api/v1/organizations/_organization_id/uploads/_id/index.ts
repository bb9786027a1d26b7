import { ORGANIZATION } from '#routes/api/v1/files/space.ts'
import { item } from '#routes/api/v1/uploads/_id/item.ts'

export default item(ORGANIZATION)
