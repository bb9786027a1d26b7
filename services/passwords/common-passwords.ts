import { dictionary } from '@zxcvbn-ts/language-common'

/** Shorter ones are refused for their length. */
const MIN_LENGTH = 8

/** The list is all in small letters. */
const common = new Set(dictionary['passwords-common'].filter((password) => password.length >= MIN_LENGTH))

/** Whether a password is among the most common ones, its case aside. */
export function isCommon(password: string): boolean {
  return common.has(fold(password))
}

/** A text as it is compared: composed, and without case as the database's `case_fold` takes it (migration 011). */
export function fold(text: string): string {
  return text.normalize('NFC').toUpperCase().toLowerCase().replaceAll('\u03c2', '\u03c3')
}
