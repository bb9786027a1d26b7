import t from 'tap'
import { migrateUp } from '#lib/migrations/migrations.ts'
import { MIGRATIONS } from '#plugins/infrastructure/migrations.ts'
import { connectionTo } from '#test/support/connection-to.ts'
import { query, SUPERUSERS, serverDirectory, start } from '#test/support/embedded-servers.ts'

/** One of each kind of object that somebody may have made. */
const OBJECTS = `
  CREATE SCHEMA "Own Schema";
  CREATE TYPE "Own Schema".mood AS ENUM ('good', 'bad');
  CREATE TYPE pair AS (a int, b int);
  CREATE DOMAIN positive AS int CHECK (VALUE > 0);
  CREATE TABLE "Own Schema"."Odd ""name" (id serial PRIMARY KEY, mood "Own Schema".mood, at int GENERATED ALWAYS AS IDENTITY);
  INSERT INTO "Own Schema"."Odd ""name" (mood) VALUES ('good'), ('bad');
  CREATE TABLE parts (id int, day date) PARTITION BY RANGE (day);
  CREATE TABLE parts_2026 PARTITION OF parts FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
  CREATE STATISTICS parts_statistics ON id, day FROM parts_2026;
  CREATE SEQUENCE counter;
  SELECT nextval('counter');
  CREATE VIEW moods AS SELECT mood FROM "Own Schema"."Odd ""name";
  CREATE MATERIALIZED VIEW moods_then AS SELECT * FROM moods;
  CREATE FUNCTION add(a int, b int DEFAULT 1) RETURNS int LANGUAGE sql RETURN a + b;
  CREATE PROCEDURE nothing() LANGUAGE sql BEGIN ATOMIC SELECT 1; END;
  CREATE AGGREGATE total (int) (sfunc = int4pl, stype = int);
  CREATE OPERATOR @@@ (leftarg = int, rightarg = int, function = add)`

t.test('a database that belongs to the superuser is handed over, with nothing lost', async (t) => {
  const directory = await serverDirectory(t)
  const old = await start(directory)
  const admin = old.superuserUrl.replace(/[^/]*$/, 'postgres')
  // As earlier releases made it.
  await query(admin, 'DROP DATABASE groundwork WITH (FORCE)')
  await query(admin, 'DROP ROLE groundwork')
  await query(admin, 'CREATE DATABASE groundwork')
  await migrateUp({ connection: connectionTo(old.superuserUrl), directory: MIGRATIONS })
  await query(old.superuserUrl, OBJECTS)
  await query(old.superuserUrl, "SELECT lo_from_bytea(0, 'kept')")
  const rows = 'SELECT id, mood, at FROM "Own Schema"."Odd ""name" ORDER BY id'
  const before = await query(old.superuserUrl, rows)
  await old.stop()

  const { url, superuserUrl, stop } = await start(directory)
  t.same(await query(superuserUrl, SUPERUSERS), [])
  t.equal(new URL(url).username, 'groundwork')
  const asked = 'SELECT rolsuper OR rolbypassrls AS unbound FROM pg_roles WHERE rolname = current_user'
  t.same(await query(url, asked), [{ unbound: false }])
  t.same(await query(url, rows), before)
  t.same(await query(url, "SELECT nextval('counter')::int AS next, add(1) AS sum"), [{ next: 2, sum: 2 }])
  t.same(await query(url, 'SELECT lo_get(oid) AS text FROM pg_largeobject_metadata'), [
    { text: Buffer.from('kept') },
  ])
  // It can do to them what migrations do.
  t.same(await migrateUp({ connection: connectionTo(url), directory: MIGRATIONS }), [])
  await query(
    url,
    'ALTER TABLE users ADD COLUMN own int; DROP SCHEMA public CASCADE; DROP SCHEMA "Own Schema" CASCADE',
  )
  await stop()
  const again = await start(directory)
  t.equal(again.url.replace(/:\d+\//, '/'), url.replace(/:\d+\//, '/'), 'nothing is handed over twice')
  await again.stop()
})
