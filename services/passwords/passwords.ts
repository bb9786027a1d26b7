import { availableParallelism } from 'node:os'
import { hash, type Options, verify } from '@node-rs/argon2'
import pLimit, { type LimitFunction } from 'p-limit'
import type { Config } from '#config/schema/schema.ts'
import type { Context } from '#lib/context.ts'
import { PasswordQueueFull } from './errors.ts'
import { type HashCost, isUsableHash } from './stored-hash.ts'

/** Seconds after which a client that found the queue full may try again. */
const RETRY_AFTER_SECONDS = 2

/** Is told of every hash computed; the time is in seconds and without the wait. */
export interface PasswordObserver {
  hashed(operation: 'hash' | 'verify', seconds: number): void
}

/** Decoy hashes for unknown accounts, by the parameters that they were made with. */
const decoys = new Map<string, Promise<string>>()

/**
 * Argon2id (RFC 9106). A hash takes a core for tens of milliseconds, so as many run at once as there are
 * cores, and each process that shares them takes its part; a bounded number waits, the rest is refused
 * (OWASP ASVS 5.0 V11.4.2).
 */
export class Passwords {
  readonly #options: Options & HashCost
  readonly #parameters: string
  readonly #maxQueue: number
  readonly #limit: LimitFunction
  readonly #observer: PasswordObserver
  #admitted = 0

  /** @param sharers how many processes compute hashes on this machine's cores, this one included */
  constructor(config: Config['auth']['argon2'], observer: PasswordObserver, sharers = 1) {
    this.#limit = pLimit(Math.ceil(availableParallelism() / sharers))
    const memoryCost = config.memory_cost / 1024
    // The library's algorithm is Argon2id unless told otherwise; `#parameters` would show it if that changed.
    this.#options = {
      memoryCost,
      timeCost: config.time_cost,
      parallelism: config.parallelism,
    }
    this.#parameters = `$argon2id$v=19$m=${memoryCost},t=${config.time_cost},p=${config.parallelism}$`
    this.#maxQueue = config.max_queue
    this.#observer = observer
  }

  /** How many callers wait for a core. */
  get queueLength(): number {
    return this.#limit.pendingCount
  }

  /**
   * Hashes a password; returns the PHC string.
   *
   * @throws PasswordQueueFull
   */
  hash(password: string): Promise<string> {
    return this.#run('hash', () => hash(password, this.#options))
  }

  /**
   * Tells whether the password belongs to the hash. Without a usable hash it does the same work and returns false,
   * so that an unknown account takes as long as a wrong password.
   *
   * @throws PasswordQueueFull
   */
  async verify(passwordHash: string | undefined, password: string): Promise<boolean> {
    const usable = passwordHash !== undefined && this.isUsable(passwordHash)
    const candidate = usable ? passwordHash : await this.#decoyHash()
    const matches = await this.#run('verify', () => verify(candidate, password))
    return matches && usable
  }

  /** Whether a stored hash is well-formed and within the bounds of what this service verifies. */
  isUsable(passwordHash: string): boolean {
    return isUsableHash(passwordHash, this.#options)
  }

  /**
   * Takes a place for work that will check a password, until it is disposed of. There are as many places as checks that
   * can run or wait, so a caller who would only find the queue full is refused before it has cost anything.
   *
   * @throws PasswordQueueFull
   */
  enter(): Disposable {
    if (this.#admitted >= this.#limit.concurrency + this.#maxQueue) {
      throw new PasswordQueueFull({ retryAfter: RETRY_AFTER_SECONDS })
    }
    this.#admitted++
    return { [Symbol.dispose]: () => void this.#admitted-- }
  }

  /** Whether the hash was made with other parameters than the current ones. */
  isOutdated(passwordHash: string): boolean {
    return !passwordHash.startsWith(this.#parameters)
  }

  /** Makes what `verify` needs for unknown accounts, so that not even the first one differs. */
  async prepare(): Promise<void> {
    await this.#decoyHash()
  }

  #decoyHash(): Promise<string> {
    const decoy = decoys.get(this.#parameters) ?? hash('no account has this password', this.#options)
    decoys.set(this.#parameters, decoy)
    return decoy
  }

  #run<T>(operation: 'hash' | 'verify', work: () => Promise<T>): Promise<T> {
    if (this.#limit.activeCount >= this.#limit.concurrency && this.#limit.pendingCount >= this.#maxQueue) {
      throw new PasswordQueueFull({ retryAfter: RETRY_AFTER_SECONDS })
    }
    return this.#limit(async () => {
      const start = performance.now()
      try {
        return await work()
      } finally {
        this.#observer.hashed(operation, (performance.now() - start) / 1000)
      }
    })
  }
}

/** The stored form of a user's password. */
export interface StoredPassword {
  /** Id of the user. */
  readonly id: string
  /** Null for a user without a password. */
  readonly password_hash: string | null
}

/**
 * Checks a password against the stored hash. Without a user, or with a hash that cannot be used, it does the same
 * work and the password counts as wrong; the log names the user whose hash that is.
 *
 * @returns the hash that the password belongs to; undefined for a wrong password
 * @throws PasswordQueueFull
 */
export async function checkPassword(
  ctx: Pick<Context, 'log'> & { readonly passwords: Passwords },
  stored: StoredPassword | undefined,
  password: string,
): Promise<string | undefined> {
  const hash = stored?.password_hash ?? undefined
  if (hash !== undefined && !ctx.passwords.isUsable(hash)) {
    ctx.log.error({ user_id: stored?.id }, 'a stored password hash is malformed or too expensive to verify')
  }
  return (await ctx.passwords.verify(hash, password)) ? hash : undefined
}
