import { OWN } from '#routes/api/v1/files/space.ts'
import { restore } from './restore.ts'

export default restore(OWN)
