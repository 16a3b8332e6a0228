/** The body of a request, bounded while it comes in. */
import type { IncomingMessage } from 'node:http';
import { Fault } from '../faults.js';

/** @throws Fault `too-large` before more than `limit` bytes are kept, `parse` when the client goes away */
export function readBody(incoming: IncomingMessage, limit: number): Promise<Uint8Array> {
  const tooLarge = new Fault('too-large', `the request may have ${limit} bytes`);
  return new Promise((resolve, reject) => {
    if (Number(incoming.headers['content-length'] ?? 0) > limit) return reject(tooLarge);
    const chunks: Buffer[] = [];
    let size = 0;
    const end = (error?: Error) => {
      incoming.off('data', onData).off('end', onEnd).off('close', onGone);
      if (error) reject(error);
      else resolve(Buffer.concat(chunks, size));
    };
    const onData = (chunk: Buffer) => {
      size += chunk.length;
      if (size > limit) end(tooLarge);
      else chunks.push(chunk);
    };
    const onEnd = () => end();
    const onGone = () => end(new Fault('parse', 'the request ended early'));
    incoming.on('data', onData).on('end', onEnd).on('close', onGone).on('error', onGone);
  });
}
