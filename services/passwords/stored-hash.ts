/** Parameters of an Argon2 hash. */
export interface HashCost {
  /** KiB. */
  readonly memoryCost: number
  /** Passes over that memory. */
  readonly timeCost: number
  readonly parallelism: number
}

/**
 * The highest cost that a stored hash may have where the configuration does not ask for more: the second choice
 * of RFC 9106 section 4 has 64 MiB, 3 passes and 4 lanes. In time that is about 30 of our default hashes.
 */
const CEILING: HashCost = { memoryCost: 64 * 1024, timeCost: 10, parallelism: 4 }

/** Characters of the longest hash that the pattern below allows. */
const MAX_HASH_CHARACTERS = 192

/** Bytes. */
const SALT = { shortest: 8, longest: 48 }
const TAG = { shortest: 16, longest: 64 }

/** KiB that each lane needs (RFC 9106 section 3.1). */
const MEMORY_PER_LANE = 8

/** A PHC string of Argon2id 1.3, its numbers in their shortest form. */
const PHC = /^\$argon2id\$v=19\$m=([1-9]\d{0,9}),t=([1-9]\d{0,9}),p=([1-9]\d{0,2})\$([\w+/-]+)\$([\w+/-]+)$/

/**
 * Whether a hash from the database may be verified: it has the form in which this service writes hashes, and costs
 * no more than the ceiling or what is configured. Anything else could take gigabytes or a thread for ever.
 */
export function isUsableHash(text: string, configured: HashCost): boolean {
  const [, memory, time, lanes, salt = '', tag = ''] =
    (text.length <= MAX_HASH_CHARACTERS && PHC.exec(text)) || []
  const cost = { memoryCost: Number(memory), timeCost: Number(time), parallelism: Number(lanes) }
  return (
    isWithin(cost, configured) &&
    cost.memoryCost >= MEMORY_PER_LANE * cost.parallelism &&
    isBase64(salt, SALT) &&
    isBase64(tag, TAG)
  )
}

function isWithin(cost: HashCost, configured: HashCost): boolean {
  return (
    cost.memoryCost <= Math.max(CEILING.memoryCost, configured.memoryCost) &&
    cost.timeCost <= Math.max(CEILING.timeCost, configured.timeCost) &&
    cost.parallelism <= Math.max(CEILING.parallelism, configured.parallelism)
  )
}

/** Base64 without padding, in its one canonical spelling. */
function isBase64(text: string, { shortest, longest }: typeof SALT): boolean {
  const bytes = Buffer.from(text, 'base64')
  const isCanonical = bytes.toString('base64').replace(/=+$/, '') === text
  return isCanonical && bytes.length >= shortest && bytes.length <= longest
}
