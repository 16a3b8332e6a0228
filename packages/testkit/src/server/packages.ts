/** Event packages the server knows, with the content types it takes in a PUBLISH. */
export const DEFAULT_PACKAGES: Readonly<Record<string, readonly string[]>> = {
  presence: ['application/pidf+xml'],
  'presence.winfo': [],
  dialog: ['application/dialog-info+xml'],
  'message-summary': ['application/simple-message-summary'],
  reg: ['application/reginfo+xml'],
  conference: ['application/conference-info+xml'],
  'xcap-diff': ['application/xcap-diff+xml'],
  'as-feature-event': ['application/x-as-feature-event+xml'],
};

/** Package and content types of an Event value; undefined for 489. Names are compared byte for byte (RFC 6665 8.2.1). */
export class EventPackages {
  readonly #types: ReadonlyMap<string, readonly string[]>;

  constructor(types: Readonly<Record<string, readonly string[]>>) {
    this.#types = new Map(Object.entries(types));
  }

  contentTypes(event: string): readonly string[] | undefined {
    return this.#types.get(event.split(';', 1)[0]!);
  }

  /** Header of a 489, RFC 3903 table 2 and RFC 6665 8.3.2. */
  allowEvents(): readonly [string, string] {
    return ['Allow-Events', [...this.#types.keys()].join(', ')];
  }
}
