import { type TProperties, Type } from '@sinclair/typebox'
import type { FormatName } from '../engine/formats.ts'

/** The longest time a Node timer can count (2^31 - 1 ms is a little under 25 days), with room to spare. */
const LONGEST_TIMER = '24d'

interface Bounds {
  /** The smallest value, as written. */
  minimum?: string
  /** The largest value, as written. */
  maximum?: string
}

/** Written with a unit (`15s`), loaded as milliseconds. */
export function Duration({
  minimum = '1ms',
  maximum = LONGEST_TIMER,
  ...options
}: Bounds & { description: string }) {
  return Type.Unsafe<number>({ ...options, type: 'string', 'x-duration': { minimum, maximum } })
}

/** Written with a unit (`256KiB`), loaded as bytes. */
export function Size({ minimum = '1B', maximum = '1GiB', ...options }: Bounds & { description: string }) {
  return Type.Unsafe<number>({ ...options, type: 'string', 'x-size': { minimum, maximum } })
}

/** Text that is never shown and that a file can hold (`_FILE`). */
export function Secret(options: { description: string; format?: FormatName }) {
  return Type.String({ ...options, minLength: 1, 'x-secret': true })
}

/** Text that is not empty. */
export function Text(options: { description: string; format?: FormatName }) {
  return Type.String({ ...options, minLength: 1 })
}

/** One of these texts. */
export function Choice<const T extends readonly string[]>(values: T, options: { description: string }) {
  return Type.Unsafe<T[number]>({ ...options, type: 'string', enum: values })
}

/** A whole number, or `auto` for what suits the machine. */
export function CountOrAuto({
  minimum,
  maximum,
  ...options
}: {
  minimum: number
  maximum: number
  description: string
}) {
  return Type.Unsafe<number | 'auto'>({
    ...options,
    anyOf: [{ type: 'integer', minimum, maximum }, { enum: ['auto'] }],
  })
}

/** True or false, or `auto` for what suits the other side. */
export function BooleanOrAuto(options: { description: string }) {
  return Type.Unsafe<boolean | 'auto'>({ ...options, anyOf: [{ type: 'boolean' }, { enum: ['auto'] }] })
}

/** A TOML array; comma-separated in a variable. */
export function List({ format, ...options }: { description: string; format: FormatName }) {
  return Type.Array(Type.String({ format }), options)
}

/** A list of texts that are never shown, and that a file can hold, comma-separated (`_FILE`). */
export function SecretList({ format, ...options }: { description: string; format: FormatName }) {
  return Type.Array(Type.String({ format }), { ...options, 'x-secret': true })
}

/** A table of TOML; it has no other keys than these. */
export function Section<T extends TProperties>(description: string, properties: T) {
  return Type.Object(properties, { description, additionalProperties: false })
}
