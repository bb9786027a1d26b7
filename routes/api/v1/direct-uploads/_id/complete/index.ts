import { OWN } from '#routes/api/v1/files/space.ts'
import { completionOf } from './complete.ts'

export default completionOf(OWN)
