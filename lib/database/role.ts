/** Why a role will not do whom row-level security does not bind, and what to do; for operators. */
const UNBOUND_ROLE =
  "Row-level security does not bind the database's role: it is a superuser or has BYPASSRLS, so nothing in PostgreSQL " +
  'would keep organizations apart. Have a role that owns the database and is neither: ALTER ROLE .. NOSUPERUSER ' +
  'NOBYPASSRLS, or a new one (docs/operations/database.md, The role).'

/** Whether row-level security leaves out the role that this session acts as: one row, `unbound`. */
export const SELECT_UNBOUND =
  'SELECT rolsuper OR rolbypassrls AS unbound FROM pg_roles WHERE rolname = current_user'

/** The service's role is one whom row-level security does not bind. */
export class UnboundRole extends Error {
  override name = 'UnboundRole'

  constructor() {
    super(UNBOUND_ROLE)
  }
}
