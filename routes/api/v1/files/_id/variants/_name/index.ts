import { OWN } from '../../../space.ts'
import { variantOf } from './variant.ts'

export default variantOf(OWN)
