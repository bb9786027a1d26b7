import t from 'tap'
import { splitStatements } from '#lib/migrations/statements.ts'

const scripts: { name: string; script: string; statements: { text: string; line: number }[] }[] = [
  { name: 'nothing', script: '', statements: [] },
  { name: 'only comments', script: '-- a;\n/* b; */ ;;\n', statements: [] },
  {
    name: 'several statements, the last without a semicolon',
    script: 'SELECT 1;\n\nSELECT 2 ;SELECT 3',
    statements: [
      { text: 'SELECT 1', line: 1 },
      { text: 'SELECT 2', line: 3 },
      { text: 'SELECT 3', line: 3 },
    ],
  },
  {
    name: 'comments around and within',
    script: '-- why; it is\nSELECT /* a; /* b; */ c; */ 1 -- d;\n+ 2; /* e',
    statements: [{ text: 'SELECT /* a; /* b; */ c; */ 1 -- d;\n+ 2', line: 2 }],
  },
  {
    name: 'strings and names',
    script: `SELECT 'a;''b;', "c;""d;", E'e\\';f', e'\\\\';SELECT 'g\\';SELECT name'h;i'`,
    statements: [
      { text: `SELECT 'a;''b;', "c;""d;", E'e\\';f', e'\\\\'`, line: 1 },
      { text: `SELECT 'g\\'`, line: 1 },
      { text: "SELECT name'h;i'", line: 1 },
    ],
  },
  {
    name: 'dollar quotes',
    script: 'DO $$ BEGIN; END $$;\nDO $a$ ; $$ ; $b$ ; $a$;SELECT a$b;SELECT $1;',
    statements: [
      { text: 'DO $$ BEGIN; END $$', line: 1 },
      { text: 'DO $a$ ; $$ ; $b$ ; $a$', line: 2 },
      { text: 'SELECT a$b', line: 2 },
      { text: 'SELECT $1', line: 2 },
    ],
  },
  {
    name: 'a rule with several commands',
    script: 'CREATE RULE r AS ON INSERT TO a DO ALSO (DELETE FROM b; DELETE FROM c);SELECT 1',
    statements: [
      { text: 'CREATE RULE r AS ON INSERT TO a DO ALSO (DELETE FROM b; DELETE FROM c)', line: 1 },
      { text: 'SELECT 1', line: 1 },
    ],
  },
  {
    name: 'a routine with a body of statements',
    script: `CREATE OR REPLACE PROCEDURE p(a int) BEGIN ATOMIC
  SELECT CASE WHEN a > 0 THEN 1 END;
  SELECT 2;
END;
CREATE FUNCTION f() RETURNS int RETURN 1; BEGIN; END;`,
    statements: [
      {
        text: `CREATE OR REPLACE PROCEDURE p(a int) BEGIN ATOMIC
  SELECT CASE WHEN a > 0 THEN 1 END;
  SELECT 2;
END`,
        line: 1,
      },
      { text: 'CREATE FUNCTION f() RETURNS int RETURN 1', line: 5 },
      { text: 'BEGIN', line: 5 },
      { text: 'END', line: 5 },
    ],
  },
  {
    name: 'what never ends',
    script: "SELECT 1; SELECT 'a; b",
    statements: [
      { text: 'SELECT 1', line: 1 },
      { text: "SELECT 'a; b", line: 1 },
    ],
  },
  {
    name: 'a dollar quote that never ends',
    script: 'DO $$ a; b',
    statements: [{ text: 'DO $$ a; b', line: 1 }],
  },
]

for (const { name, script, statements } of scripts) {
  t.test(name, async (t) => t.same(splitStatements(script), statements))
}

t.test('a long string is one token', async (t) => {
  const script = `SELECT '${'x;'.repeat(2_000_000)}'; SELECT 2`
  t.equal(splitStatements(script).length, 2)
})
