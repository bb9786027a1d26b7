/** JSON that needs no serialization: the text of a `T`, for `reply.sendJson`. */
export class JsonText<T> {
  readonly text: string
  /** Never set: keeps texts of different types apart. */
  declare readonly of?: T

  constructor(text: string) {
    this.text = text
  }
}
