import { OWN } from '#routes/api/v1/files/space.ts'
import { item } from './item.ts'

export default item(OWN)
