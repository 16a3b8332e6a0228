/** The way in: JSON-RPC over HTTP, as a program that knows no SIP would use it. */
import { request } from 'node:http';

export interface RpcError {
  readonly code: number;
  readonly message: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface RpcAnswer {
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: RpcError;
}

export function post(url: string, method: string, params: unknown): Promise<RpcAnswer> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
  const options = { method: 'POST', agent: false, headers: { 'Content-Type': 'application/json' } };
  return new Promise((resolve, reject) => {
    const call = request(`${url}/RPC`, options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve(JSON.parse(Buffer.concat(chunks).toString('utf8')) as RpcAnswer));
    });
    call.on('error', reject);
    call.end(body);
  });
}

/** @throws Error when the call fails */
export async function call(url: string, method: string, params: unknown): Promise<Readonly<Record<string, unknown>>> {
  const { result, error } = await post(url, method, params);
  if (!result) throw new Error(`${method}: ${JSON.stringify(error)}`);
  return result;
}

/** Positional parameters of `pua.publish` in Kamailio's order: a dot where nothing is given. */
export function publishing(uri: string, expires: number, body?: string, id = '.'): string[] {
  const list = [uri, String(expires), 'presence', '.', id, '.', '.', '.'];
  return body === undefined ? list : [...list, body];
}
