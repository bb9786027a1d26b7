import t from 'tap'
import { call, signUpRemote } from '#test/support/http.ts'
import { assertAnswers, audit, startLoad } from './ledger.ts'
import { assertUnharmed, startRig } from './rig.ts'

// Many processes, on a machine that may be busy.
t.setTimeout(600_000)

const ROUNDS = Number(process.env['FAULT_ROUNDS'] ?? 10)

t.test('two instances deadlock: the victim retries, and no client notices', async (t) => {
  const { postgres, services, urls } = await startRig(t, {
    instances: 2,
    settings: { deadlock_timeout: '50ms' },
  })
  const users = [await signUpRemote(urls[0] ?? ''), await signUpRemote(urls[1] ?? '')]
  // A transaction that has changed one of the two then wants the other, and takes its time.
  await postgres.query(
    'CREATE TABLE couples (id uuid PRIMARY KEY, other uuid NOT NULL); GRANT ALL ON couples TO PUBLIC',
  )
  const ids = users.map(({ id }) => id)
  await postgres.query('INSERT INTO couples VALUES ($1, $2), ($2, $1)', ids)
  await postgres.query(`CREATE FUNCTION embrace() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM pg_sleep(0.2);
      PERFORM FROM users WHERE id = (SELECT other FROM couples WHERE id = NEW.id) FOR UPDATE;
      RETURN NULL;
    END $$`)
  await postgres.query('CREATE TRIGGER embrace AFTER UPDATE ON users FOR EACH ROW EXECUTE FUNCTION embrace()')

  for (let round = 1; round <= ROUNDS; round++) {
    const answers = await Promise.all(
      users.map(({ token }, index) => {
        const json = { username: `couple-${index}-${round}` }
        return call(`${urls[index]}/api/v1/users/me`, { method: 'PATCH', token, json })
      }),
    )
    t.same(
      answers.map(({ status }) => status),
      [200, 200],
    )
  }
  const names = await postgres.query("SELECT username FROM users WHERE username LIKE 'couple%' ORDER BY 1")
  t.same(names, [{ username: `couple-0-${ROUNDS}` }, { username: `couple-1-${ROUNDS}` }])
  let retries = 0
  for (const url of urls) {
    const { text } = await call(`${url}/metrics`)
    retries += Number(/^db_retries_total\{state="40P01"\} (\d+)/m.exec(text)?.[1] ?? 0)
  }
  t.ok(retries >= ROUNDS / 2, `there were deadlocks: ${retries}`)
  assertUnharmed(t, services)
})

t.test(
  'serialization failures under load: retried up to the bound, then 503, and each write once',
  async (t) => {
    const { postgres, services, urls, admin } = await startRig(t)
    // A sequence also counts what is undone. Three failures in a row are more than are allowed.
    await postgres.query('CREATE SEQUENCE tries; GRANT ALL ON SEQUENCE tries TO PUBLIC')
    await postgres.query(`CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF nextval('tries') % 5 < 3 THEN RAISE EXCEPTION 'planted' USING ERRCODE = '40001'; END IF;
      RETURN NULL;
    END $$`)
    await postgres.query('CREATE TRIGGER fail AFTER INSERT ON one_time_tokens EXECUTE FUNCTION fail()')
    const load = startLoad(t, { target: () => urls[0] ?? '', token: admin.token })
    await load.acknowledges(100)
    await load.fails(1)
    await load.stop()
    await audit(t, load, postgres)
    assertAnswers(t, load)
    const [row] = await postgres.query<{ tries: number }>('SELECT last_value::int AS tries FROM tries')
    t.ok((row?.tries ?? 0) <= 3 * load.entries.length, 'no write is begun a fourth time')
    t.ok(load.count(201) > load.count(503), 'most get through')
    assertUnharmed(t, services)
  },
)
