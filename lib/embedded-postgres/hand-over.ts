import type pg from 'pg'
import { DATABASE, ROLE } from './role.ts'

/**
 * Everything of the superuser's that somebody made, as ALTER names it. REASSIGN OWNED refuses the superuser that initdb
 * made. Left out is what follows its owner or its extension: indexes, sequences of columns, rows' types, arrays.
 */
const OWNED = `
  WITH owned (classid, objid, owner) AS (
    SELECT 'pg_class'::regclass, oid, relowner FROM pg_class
      WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
    UNION ALL SELECT 'pg_namespace'::regclass, oid, nspowner FROM pg_namespace
    UNION ALL SELECT 'pg_proc'::regclass, oid, proowner FROM pg_proc
    UNION ALL SELECT 'pg_type'::regclass, oid, typowner FROM pg_type
      WHERE typtype IN ('b', 'd', 'e', 'r') AND typcategory <> 'A'
        OR typtype = 'c' AND (SELECT relkind FROM pg_class WHERE oid = typrelid) = 'c'
    UNION ALL SELECT 'pg_operator'::regclass, oid, oprowner FROM pg_operator
    UNION ALL SELECT 'pg_opclass'::regclass, oid, opcowner FROM pg_opclass
    UNION ALL SELECT 'pg_opfamily'::regclass, oid, opfowner FROM pg_opfamily
    UNION ALL SELECT 'pg_collation'::regclass, oid, collowner FROM pg_collation
    UNION ALL SELECT 'pg_conversion'::regclass, oid, conowner FROM pg_conversion
    UNION ALL SELECT 'pg_statistic_ext'::regclass, oid, stxowner FROM pg_statistic_ext
    UNION ALL SELECT 'pg_ts_dict'::regclass, oid, dictowner FROM pg_ts_dict
    UNION ALL SELECT 'pg_ts_config'::regclass, oid, cfgowner FROM pg_ts_config
    UNION ALL SELECT 'pg_largeobject'::regclass, oid, lomowner FROM pg_largeobject_metadata
  )
  SELECT object.type, object.identity
  FROM owned, pg_identify_object(classid, objid, 0) AS object
  WHERE owner = 10 AND objid >= 16384
    AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = owned.classid AND d.objid = owned.objid
                    AND (d.deptype = 'e' OR object.type = 'sequence' AND d.deptype IN ('a', 'i')
                         OR object.type = 'function' AND d.deptype = 'i'))
  ORDER BY object.type, object.identity`

/** How ALTER calls what pg_identify_object calls otherwise. */
const KINDS: Readonly<Record<string, string>> = {
  'composite type': 'TYPE',
  'statistics object': 'STATISTICS',
}

/**
 * Makes the service's role the owner of the database and of all that is in it, in one transaction: all of it or
 * nothing, and no row is touched.
 *
 * @param client the superuser's, in that database
 */
export async function handOver(client: pg.Client): Promise<void> {
  await client.query('BEGIN')
  const { rows } = await client.query<{ type: string; identity: string }>(OWNED)
  for (const { type, identity } of rows) {
    await client.query(`ALTER ${KINDS[type] ?? type.toUpperCase()} ${identity} OWNER TO ${ROLE}`)
  }
  await client.query(`ALTER DATABASE ${DATABASE} OWNER TO ${ROLE}`)
  await client.query('COMMIT')
}
