import { button, expiry, type MailContent, type MailLink, note, paragraph } from '../content.ts'
import type { TemplateData } from '../message.ts'

export function choosePassword({ username }: TemplateData['choose-password'], link: MailLink): MailContent {
  return {
    subject: 'An account was made for you',
    title: 'An account was made for you',
    blocks: [
      paragraph(`Hello ${username},`),
      paragraph('An administrator has made an account for you. Choose a password to begin.'),
      button('Choose a password', link),
      expiry(link),
      note('After that time, ask for a new password with this email address, and a new link comes.'),
    ],
  }
}
