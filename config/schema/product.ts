import { Type } from '@sinclair/typebox'
import { Section, Text } from './kinds.ts'

/** Keys below `product`. */
export const Product = Section('The product, as mails, the account pages and the API document name it.', {
  name: Text({
    format: 'product-name',
    description:
      'Name of the product: in mails, as the sender where `email.from` has no name, on the account pages, and the title of the API document.',
  }),
  url: Type.Optional(
    Text({
      format: 'public-url',
      description:
        'Where people use the product and sign in. Mails and account pages link to it; without it they only say "sign in".',
    }),
  ),
  support: Type.Optional(
    Text({
      format: 'contact',
      description:
        'Where people get help, in mails, on the account pages and in the API document: an email address or an http(s) URL.',
    }),
  ),
})
