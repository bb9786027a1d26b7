import { OWN } from '../../space.ts'
import { restore } from './restore.ts'

export default restore(OWN)
