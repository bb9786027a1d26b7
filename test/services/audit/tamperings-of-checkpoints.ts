import type { Tampering, Victim } from './victim.ts'

const numbered = (victim: Victim, below = victim.checkpoints) => 1 + victim.random(below)

const deleteCheckpoint: Tampering = async (victim) => {
  const number = numbered(victim, victim.checkpoints - 1)
  await victim.sql('DELETE FROM audit_checkpoints WHERE number = $1', [number])
  await victim.sql('DELETE FROM audit_checkpoint_heads WHERE checkpoint = $1', [number])
  return [{ kind: 'checkpoint_deleted', checkpoint: number }]
}

/** The notes that were published say that there was one. */
const truncateCheckpoints: Tampering = async (victim) => {
  const number = numbered(victim)
  await victim.sql('DELETE FROM audit_checkpoints WHERE number >= $1', [number])
  await victim.sql('DELETE FROM audit_checkpoint_heads WHERE checkpoint >= $1', [number])
  return [{ kind: 'truncated', checkpoint: number }]
}

const replayCheckpoint: Tampering = async (victim) => {
  const number = numbered(victim)
  const other = (number % victim.checkpoints) + 1
  await victim.sql(
    `UPDATE audit_checkpoints SET note = (SELECT note FROM audit_checkpoints WHERE number = $2) WHERE number = $1`,
    [number, other],
  )
  return [{ kind: 'checkpoint_replayed', checkpoint: number }]
}

const changeCheckpoint: Tampering = async (victim) => {
  const number = numbered(victim)
  await victim.sql(
    `UPDATE audit_checkpoints SET note = regexp_replace(note, 'at 20', 'at 21') WHERE number = $1`,
    [number],
  )
  return [{ kind: 'checkpoint_changed', checkpoint: number }]
}

/** The time by which the log is cut. */
const changeTime: Tampering = async (victim) => {
  const number = numbered(victim)
  await victim.sql("UPDATE audit_checkpoints SET at = at - interval '1 year' WHERE number = $1", [number])
  return [{ kind: 'checkpoint_changed', checkpoint: number }]
}

/** Not of the first: it could be from before there was a key. */
const stripSignature: Tampering = async (victim) => {
  const number = 1 + numbered(victim, victim.checkpoints - 1)
  await victim.sql(
    `UPDATE audit_checkpoints SET note = regexp_replace(note, E'\n\n.*$', E'\n\n') WHERE number = $1`,
    [number],
  )
  return [{ kind: 'checkpoint_changed', checkpoint: number }]
}

const changeHead: Tampering = async (victim) => {
  const number = numbered(victim)
  await victim.sql("UPDATE audit_checkpoint_heads SET hash = sha256('x') WHERE checkpoint = $1", [number])
  return [{ kind: 'checkpoint_changed', checkpoint: number }]
}

export const CHECKPOINT_TAMPERINGS: Readonly<Record<string, Tampering>> = {
  deleteCheckpoint,
  truncateCheckpoints,
  replayCheckpoint,
  changeCheckpoint,
  changeTime,
  stripSignature,
  changeHead,
}
