import { OWN } from '../space.ts'
import { usage } from './usage.ts'

export default usage(OWN)
