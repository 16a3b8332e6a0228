/** Typed form of `application/dialog-info+xml` (RFC 4235 section 4.1). Lists are absent when empty. */
import type { XmlElement } from '../xml/element.js';

export interface DialogInfo {
  /** One higher from document to document; the body processor of `dialog` counts for the documents of dialoginfo. */
  readonly version: number;
  /** `partial`: only the dialogs that have changed. */
  readonly state: 'full' | 'partial';
  /** URI of who takes part in the dialogs. */
  readonly entity: string;
  readonly dialogs: readonly Dialog[];
  readonly extensions?: readonly XmlElement[];
}

export interface Dialog {
  /** The same for a dialog in all documents, unique in each. */
  readonly id: string;
  readonly callId?: string;
  /** Tag of the entity. */
  readonly localTag?: string;
  readonly remoteTag?: string;
  /** Did the entity send the INVITE? */
  readonly direction?: 'initiator' | 'recipient';
  readonly state: DialogInfoState;
  /** What led to the state. */
  readonly event?: DialogInfoEvent;
  /** Status code that led to it, 100 to 699. */
  readonly code?: number;
  /** Seconds since the INVITE. */
  readonly duration?: number;
  readonly replaces?: DialogReplaces;
  readonly referredBy?: DialogIdentity;
  /** URIs in the order of the route set. */
  readonly routeSet?: readonly string[];
  readonly local?: DialogParticipant;
  readonly remote?: DialogParticipant;
  readonly extensions?: readonly XmlElement[];
}

/** RFC 4235 section 3.7.1 */
export const dialogStates = ['trying', 'proceeding', 'early', 'confirmed', 'terminated'] as const;
export type DialogInfoState = (typeof dialogStates)[number];

/** RFC 4235 section 3.7.1, figure 3 */
export const dialogEvents = [
  'cancelled',
  'rejected',
  'replaced',
  'local-bye',
  'remote-bye',
  'error',
  'timeout',
] as const;
export type DialogInfoEvent = (typeof dialogEvents)[number];

export interface DialogReplaces {
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string;
}

export interface DialogIdentity {
  readonly uri: string;
  /** Display name. */
  readonly display?: string;
}

/** One side of a dialog. */
export interface DialogParticipant {
  readonly identity?: DialogIdentity;
  readonly target?: DialogTarget;
  readonly sessionDescription?: { readonly type: string; readonly text: string };
  readonly cseq?: number;
  readonly extensions?: readonly XmlElement[];
}

/** Remote target. */
export interface DialogTarget {
  readonly uri: string;
  /** Not in the RFC: Kamailio's `attribute_display`. */
  readonly display?: string;
  /** Parameters of the Contact header field, such as `+sip.rendering`; names without case. */
  readonly params?: readonly { readonly name: string; readonly value: string }[];
}
