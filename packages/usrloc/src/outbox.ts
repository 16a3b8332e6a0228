/** What all PUBLISHes of the module have in common. */
import { EventFlag, type PuaApi, type PuaRecord, SourceFlag } from '@pua/core';
import { publicationId } from './identity.js';

const event = EventFlag.PRESENCE_EVENT;
const sourceFlag = SourceFlag.UL_PUBLISH;

export class Outbox {
  constructor(
    readonly pua: PuaApi,
    readonly outboundProxy: string | undefined,
  ) {}

  /**
   * @param body absent: only the lifetime is set anew
   * @param expires seconds; negative: for ever
   * @returns false: there is no publication whose lifetime could be set, give a body
   */
  publish(presUri: string, id: string, expires: number, body?: string): boolean {
    const { outboundProxy } = this;
    const { settled } = this.pua.sendPublish({ presUri, id, event, sourceFlag, outboundProxy, expires, body });
    return settled?.outcome !== 'no-body';
  }

  /** The record of the core knows whether there is something to end; if not, nothing is sent. */
  end(presUri: string, id: string): void {
    this.pua.sendPublish({ presUri, id, event, sourceFlag, outboundProxy: this.outboundProxy, expires: 0 });
  }

  find(presUri: string, id: string): PuaRecord | undefined {
    return this.pua.find({ presUri, id, event, sourceFlag });
  }

  /**
   * A publication taken over from Kamailio, which names them by Call-ID.
   * @param own the id by which we publish the binding
   */
  endInherited(presUri: string, callId: string | undefined, own: string): void {
    if (callId === undefined) return;
    const id = publicationId(callId);
    // Nearly always there is none, and looking costs less than ending nothing.
    if (id !== own && this.find(presUri, id)) this.end(presUri, id);
  }
}

/**
 * Is a publication at rest, and does it end when `expires` (as of publish()) says? One that is not at rest may be about
 * to be removed. Rows hold whole seconds, rounded.
 */
export function isSettled(record: PuaRecord, expires: number, now: number): boolean {
  const { state, desiredExpires } = record;
  if (state !== 'published') return false;
  if (expires < 0 || desiredExpires === 0) return expires < 0 && desiredExpires === 0;
  return Math.abs(desiredExpires - now / 1000 - expires) <= 2;
}
