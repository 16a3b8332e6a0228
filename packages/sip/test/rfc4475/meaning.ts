/** What is said of a message of RFC 4475: how it is to be read, and what the engine answers. */

export interface Address {
  readonly display?: string;
  readonly uri: string;
  /** undefined: none. */
  readonly tag?: string;
}

interface Common {
  readonly callId: string;
  /** As in `1 OPTIONS`. */
  readonly cseq: string;
  readonly from: Address;
  readonly to: Address;
  /** Number of Via values, and the topmost one. */
  readonly vias: number;
  readonly via: { readonly transport: string; readonly sentBy: string; readonly branch?: string };
  /** Values of header fields as read by name; a list where the field stands more than once; null where it doesn't. */
  readonly headers?: Readonly<Record<string, string | readonly string[] | null>>;
  /** Length of the body in bytes. */
  readonly body: number;
}

export interface RequestMeaning extends Common {
  readonly method: string;
  readonly uri: string;
  /** The parts of the Request-URI; undefined for one of another scheme. */
  readonly target?: { readonly user?: string; readonly host: string };
}

export interface ResponseMeaning extends Common {
  readonly status: number;
  readonly reason: string;
}

export interface Case {
  /** The message's name in the RFC, and its section. */
  readonly name: string;
  readonly section: string;
  readonly about: string;
  /** Whether the RFC calls it well-formed. */
  readonly valid: boolean;
  /** How it is read, or, as text, the reason why it is not. */
  readonly read: RequestMeaning | ResponseMeaning | string;
  /** Status that the engine answers when no handler wants the request; undefined: nothing. */
  readonly answer?: number;
  /** Header fields of that answer. */
  readonly answered?: Readonly<Record<string, string>>;
  /** Where the answer goes when Via names another port than 5060. */
  readonly port?: number;
  /** Where reading or answer are not the RFC's first choice: why. */
  readonly why?: string;
}

export const NO_SESSIONS =
  'this engine has no sessions, so every INVITE is answered 405 before anything else is looked at';
export const NO_REGISTRAR = 'a registrar is a handler; without one REGISTER is not allowed';
