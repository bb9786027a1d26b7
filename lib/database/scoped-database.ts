import type { Database, Statement } from './database.ts'
import { isSameScope, type Scope } from './scope.ts'

/** A database whose every statement is sent with a scope. */
abstract class ScopedDatabase implements Database {
  readonly #db: Database
  readonly #scope: Scope

  /** @throws TypeError for a database with another scope, which would stay the one that counts */
  constructor(db: Database, scope: Scope) {
    if (db instanceof ScopedDatabase && !isSameScope(db.#scope, scope)) {
      throw new TypeError(`a database with the scope ${JSON.stringify(db.#scope)} can't get another one`)
    }
    this.#db = db
    this.#scope = scope
  }

  query<Row extends object>(statement: Statement): Promise<Row[]> {
    return this.#db.query({ ...statement, scope: this.#scope })
  }

  abstract transaction<T>(work: (db: Database) => Promise<T>): Promise<T>
}

/**
 * The database as one organization sees it: its rows of the tenant tables, and all of the global ones. Queries of
 * tenant tables ask for this type, which is made where somebody was let in (test/tenancy/makers.test.ts lists the
 * places), so that a query without a context does not compile.
 */
export class OrgDatabase extends ScopedDatabase {
  /** The organization's id. */
  readonly org: string
  readonly #parent: Database
  readonly #user: string | undefined

  constructor(db: Database, org: string, user?: string) {
    super(db, { org, ...(user === undefined ? {} : { user }) })
    this.org = org
    this.#parent = db
    this.#user = user
  }

  override transaction<T>(work: (db: OrgDatabase) => Promise<T>): Promise<T> {
    return this.#parent.transaction((db) => work(new OrgDatabase(db, this.org, this.#user)))
  }

  /** Returns the same view of another database, which is made of the one behind this. */
  through(wrap: (db: Database) => Database): OrgDatabase {
    return new OrgDatabase(wrap(this.#parent), this.org, this.#user)
  }
}

/** The database as one user sees it: of the tenant tables, the rows that say which organizations are theirs. */
export class UserDatabase extends ScopedDatabase {
  readonly user: string
  readonly #parent: Database

  constructor(db: Database, user: string) {
    super(db, { user })
    this.user = user
    this.#parent = db
  }

  override transaction<T>(work: (db: UserDatabase) => Promise<T>): Promise<T> {
    return this.#parent.transaction((db) => work(new UserDatabase(db, this.user)))
  }

  /** Returns the same view of another database, which is made of the one behind this. */
  through(wrap: (db: Database) => Database): UserDatabase {
    return new UserDatabase(wrap(this.#parent), this.user)
  }
}

/** The database with the rows of every organization: for jobs, commands and what no organization asks for. */
export class SystemDatabase extends ScopedDatabase {
  readonly #parent: Database

  constructor(db: Database) {
    super(db, { scope: 'system' })
    this.#parent = db
  }

  override transaction<T>(work: (db: SystemDatabase) => Promise<T>): Promise<T> {
    return this.#parent.transaction((db) => work(new SystemDatabase(db)))
  }

  /** Returns the same view of another database, which is made of the one behind this. */
  through(wrap: (db: Database) => Database): SystemDatabase {
    return new SystemDatabase(wrap(this.#parent))
  }
}
