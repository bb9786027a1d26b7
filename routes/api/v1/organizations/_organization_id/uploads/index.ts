import { ORGANIZATION } from '#routes/api/v1/files/space.ts'
import { collection } from '#routes/api/v1/uploads/collection.ts'

export default collection(ORGANIZATION)
