import { randomUUID } from 'node:crypto'
import { linkHash } from '#services/audit/chain.ts'
import { CHECKPOINT_TAMPERINGS } from './tamperings-of-checkpoints.ts'
import { ENTRY, one, SEAL, type Tampering, two, type Victim } from './victim.ts'

const EDITS = [
  "action = action || 'x'",
  'actor_id = gen_random_uuid()::text',
  "actor_kind = 'admin'",
  'target_id = gen_random_uuid()::text',
  "target_type = 'nothing'",
  "outcome = 'denied'",
  "request_id = 'another'",
  `details = '{"changed": 1}'`,
  "at = at + interval '1 millisecond'",
  'mac = set_byte(mac, 20, (get_byte(mac, 20) + 1) % 256)',
  "personal_commitment = sha256('x')",
]

const changeEntry: Tampering = async (victim) => {
  const { org, seq, entry } = one(victim)
  await victim.sql(`UPDATE audit_entries SET ${EDITS[victim.random(EDITS.length)]} WHERE ${ENTRY}`, [
    org,
    entry,
  ])
  return [{ kind: 'entry_changed', org, seq, entry }]
}

const deleteEntry: Tampering = async (victim) => {
  const { org, seq, entry } = one(victim)
  await victim.sql(`DELETE FROM audit_entries WHERE ${ENTRY}`, [org, entry])
  return [{ kind: 'entry_deleted', org, seq, entry }]
}

async function copyEntry(victim: Victim): Promise<{ org: string; id: string }> {
  const { org, entry } = one(victim)
  const id = randomUUID()
  await victim.sql(
    `INSERT INTO audit_entries SELECT (jsonb_populate_record(e, jsonb_build_object('id', $3::text))).*
     FROM audit_entries e WHERE ${ENTRY}`,
    [org, entry, id],
  )
  return { org, id }
}

const insertEntry: Tampering = async (victim) => {
  const { org, id } = await copyEntry(victim)
  return [{ kind: 'entry_inserted', org, entry: id }]
}

/** With the seal that belongs to it, as the service would make it. */
const insertSealedEntry: Tampering = async (victim) => {
  const { org, id } = await copyEntry(victim)
  const last = victim.seals.at(-1)
  if (last === undefined) throw new Error('the chain has no seal')
  const seq = last.seq + 1
  const digest = await digestInDatabase(victim, org, id)
  await victim.sql(
    'INSERT INTO audit_seals (org_id, seq, entry_id, digest, hash) VALUES ($1, $2, $3, $4, $5)',
    [org, seq, id, digest, linkHash(last.hash, seq, digest)],
  )
  return [{ kind: 'entry_forged', org, seq, entry: id }]
}

/** The digest of an entry, made by somebody who has read how it is made. */
async function digestInDatabase(victim: Victim, org: string, id: string): Promise<Buffer> {
  const text = (column: string) =>
    `CASE WHEN ${column} IS NULL THEN int4send(-1) ELSE int4send(octet_length(convert_to(${column}, 'UTF8'))) || convert_to(${column}, 'UTF8') END`
  const bytes = (value: string) => `int4send(length(${value})) || ${value}`
  const fields = [
    bytes('uuid_send(org_id)'),
    bytes('uuid_send(id)'),
    bytes('int8send((extract(epoch FROM at) * 1000)::bigint)'),
    ...[
      'actor_kind',
      'actor_id',
      'action',
      'target_type',
      'target_id',
      'outcome',
      'request_id',
      'details::text',
    ].map(text),
    bytes('personal_commitment'),
    bytes('mac'),
  ]
  const rows = await victim.sql(
    `SELECT sha256('\\x02'::bytea || ${fields.join(' || ')}) AS digest FROM audit_entries WHERE ${ENTRY}`,
    [org, id],
  )
  const digest = rows[0]?.['digest']
  if (!Buffer.isBuffer(digest)) throw new Error('the entry has no digest')
  return digest
}

const swapEntries: Tampering = async (victim) => {
  const [a, b] = two(victim)
  const set = `UPDATE audit_seals SET entry_id = $3 WHERE ${SEAL}`
  await victim.sql(set, [a.org, a.seq, randomUUID()])
  await victim.sql(set, [b.org, b.seq, a.entry])
  await victim.sql(set, [a.org, a.seq, b.entry])
  return [{ kind: 'swapped', org: a.org, seq: a.seq, last: b.seq }]
}

const swapSeals: Tampering = async (victim) => {
  const [a, b] = two(victim)
  const set = `UPDATE audit_seals SET seq = $3 WHERE ${SEAL}`
  await victim.sql(set, [a.org, a.seq, -1])
  await victim.sql(set, [b.org, b.seq, a.seq])
  await victim.sql(set, [a.org, -1, b.seq])
  return [{ kind: 'swapped', org: a.org, seq: a.seq, last: b.seq }]
}

const CONTENT =
  'actor_kind, actor_id, action, target_type, target_id, outcome, request_id, details, personal_commitment, mac'

const swapContents: Tampering = async (victim) => {
  const [a, b] = two(victim)
  await victim.sql(
    `UPDATE audit_entries e SET (${CONTENT}) = (
       SELECT ${CONTENT} FROM audit_entries o
       WHERE o.org_id = e.org_id AND o.id = CASE WHEN e.id = $2 THEN $3::uuid ELSE $2::uuid END)
     WHERE e.org_id = $1 AND e.id IN ($2, $3)`,
    [a.org, a.entry, b.entry],
  )
  return [a, b].map(({ org, seq, entry }) => ({ kind: 'entry_changed', org, seq, entry }))
}

/** Not the last one: that is a truncation. */
const deleteSeal: Tampering = async (victim) => {
  const { org, seq, entry } = one(victim, victim.seals.length - 1)
  await victim.sql(`DELETE FROM audit_seals WHERE ${SEAL}`, [org, seq])
  if (victim.random(2) === 0)
    return [
      { kind: 'seals_deleted', org, seq, last: seq },
      { kind: 'entry_unsealed', org, entry },
    ]
  await victim.sql(`DELETE FROM audit_entries WHERE ${ENTRY}`, [org, entry])
  return [{ kind: 'seals_deleted', org, seq, last: seq }]
}

const truncateChain: Tampering = async (victim) => {
  const seq = 1 + victim.random(victim.covered)
  const org = victim.seals[0]?.org
  await victim.sql(
    `DELETE FROM audit_entries e USING audit_seals s
     WHERE s.org_id = $1 AND s.seq >= $2 AND e.org_id = s.org_id AND e.id = s.entry_id`,
    [org, seq],
  )
  await victim.sql('DELETE FROM audit_seals WHERE org_id = $1 AND seq >= $2', [org, seq])
  return [
    {
      kind: 'truncated',
      ...(org === undefined ? {} : { org }),
      seq,
      last: victim.covered,
      checkpoint: victim.checkpoints,
    },
  ]
}

const changeHash: Tampering = async (victim) => {
  const { org, seq, entry } = one(victim)
  await victim.sql(`UPDATE audit_seals SET hash = sha256('x') WHERE ${SEAL}`, [org, seq])
  return [{ kind: 'seal_changed', org, seq, entry }]
}

/** An entry is changed, and the chain after it made as if it had always been so. */
const rewriteChain: Tampering = async (victim) => {
  const index = victim.random(victim.covered)
  const { seals } = victim
  const { org, seq, entry } = seals[index] ?? one(victim)
  await victim.sql(`UPDATE audit_entries SET actor_id = 'somebody else' WHERE ${ENTRY}`, [org, entry])
  let hash = seals[index - 1]?.hash ?? Buffer.alloc(32)
  for (const seal of seals.slice(index)) {
    const digest = seal.seq === seq ? await digestInDatabase(victim, org, entry) : seal.digest
    hash = linkHash(hash, seal.seq, digest)
    await victim.sql(`UPDATE audit_seals SET digest = $3, hash = $4 WHERE ${SEAL}`, [
      org,
      seal.seq,
      digest,
      hash,
    ])
  }
  return [
    { kind: 'entry_forged', org, seq, entry },
    { kind: 'chain_rewritten', org },
  ]
}

const changePersonalData: Tampering = async (victim) => {
  const { org, seq, entry } = one(victim)
  await victim.sql("UPDATE audit_personal SET ip = '203.0.113.77' WHERE org_id = $1 AND entry_id = $2", [
    org,
    entry,
  ])
  return [{ kind: 'personal_data_changed', org, seq, entry }]
}

/** Deleting the account of the actor would erase nothing. */
const changeOwner: Tampering = async (victim) => {
  const { org, seq, entry } = one(victim)
  await victim.sql(
    'UPDATE audit_personal SET user_id = gen_random_uuid() WHERE org_id = $1 AND entry_id = $2',
    [org, entry],
  )
  return [{ kind: 'personal_data_changed', org, seq, entry }]
}

/** The next checkpoint would not cover what is new. */
const hideGrowth: Tampering = async (victim) => {
  const org = one(victim).org
  await victim.sql('DELETE FROM audit_growth WHERE org_id = $1', [org])
  return [{ kind: 'seals_uncovered', org, seq: victim.covered + 1, last: victim.seals.length }]
}

const forgeCut: Tampering = async (victim) => {
  const { org, seq, hash } = one(victim, victim.seals.length - 1)
  await victim.sql(
    `DELETE FROM audit_entries e USING audit_seals s
     WHERE s.org_id = $1 AND s.seq <= $2 AND e.org_id = s.org_id AND e.id = s.entry_id`,
    [org, seq],
  )
  await victim.sql('DELETE FROM audit_seals WHERE org_id = $1 AND seq <= $2', [org, seq])
  await victim.sql(
    "INSERT INTO audit_cuts (org_id, seq, hash, at, note) VALUES ($1, $2, $3, now(), E'cut\\n\\n')",
    [org, seq, hash],
  )
  return [
    { kind: 'cut_forged', org, last: seq },
    { kind: 'seals_deleted', org, seq: 1, last: seq },
  ]
}

export const TAMPERINGS: Readonly<Record<string, Tampering>> = {
  changeEntry,
  deleteEntry,
  insertEntry,
  insertSealedEntry,
  swapEntries,
  swapSeals,
  swapContents,
  deleteSeal,
  truncateChain,
  changeHash,
  rewriteChain,
  changePersonalData,
  changeOwner,
  hideGrowth,
  forgeCut,
  ...CHECKPOINT_TAMPERINGS,
}
