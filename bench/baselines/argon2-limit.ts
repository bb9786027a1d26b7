/** How many passwords this machine can check, as many at once as it has cores: `SECONDS`. */
import { availableParallelism } from 'node:os'
import { hash, verify } from '@node-rs/argon2'
import { measureLimit } from './result.ts'

const [seconds] = process.argv.slice(2)

const password = 'correct horse battery staple'
const known = await hash(password, { memoryCost: 19456, timeCost: 2, parallelism: 1 })
await measureLimit(availableParallelism(), Number(seconds), () => verify(known, password))
