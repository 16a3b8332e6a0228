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

  /** A publication taken over from Kamailio, which names them by Call-ID and keeps no document. */
  endInherited(presUri: string, callId: string | undefined): void {
    if (callId === undefined) return;
    const id = publicationId(callId);
    if (this.find(presUri, id)?.body === null) this.end(presUri, id);
  }
}

/** Does a record end when `expires` (as of publish()) says? Rows hold whole seconds, rounded. */
export function endsThen(record: PuaRecord, expires: number, now: number): boolean {
  if (expires < 0 || record.desiredExpires === 0) return expires < 0 && record.desiredExpires === 0;
  return Math.abs(record.desiredExpires - now / 1000 - expires) <= 2;
}

/** Its removal waits for its next try: a wish of ours opens it anew, a good one would be left alone. */
export function isEnding(record: PuaRecord): boolean {
  return record.state === 'waiting' && record.etag !== '';
}
