/** A file as browsers get it. */
export interface Asset {
  readonly type: string
  readonly body: Uint8Array
  /** The body in brotli. */
  readonly brotli: Uint8Array
}

/** Files of a version, by their paths below the address that has its hash. */
export interface Assets {
  /** Changes with any byte of any file. */
  readonly hash: string
  readonly files: ReadonlyMap<string, Asset>
}

/** Where the files come from. */
export interface AssetSources {
  /** URL of the folder with our own modules (`.ts`) and styles (`.css`), without a trailing slash. */
  readonly folder: string
  /** Files of packages, by the paths that they get. */
  readonly packages: Readonly<Record<string, PackageFile>>
}

/** A file of a package. */
export interface PackageFile {
  readonly url: string
  /** A line that makes a module of a file that is not one. */
  readonly append?: string
}
