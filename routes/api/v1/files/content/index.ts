import { OWN } from '../space.ts'
import { whole } from './whole.ts'

export default whole(OWN)
