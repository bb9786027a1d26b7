import { collection } from './collection.ts'
import { OWN } from './space.ts'

export default collection(OWN)
