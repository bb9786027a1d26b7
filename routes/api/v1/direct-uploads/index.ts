import { OWN } from '#routes/api/v1/files/space.ts'
import { collection } from './collection.ts'

export default collection(OWN)
