/** UDP sockets on loopback, as fast as node:dgram can. */
import { createSocket, type Socket, type SocketOptions } from 'node:dgram';

/** Asked for; the system gives what its limits allow. A whole window must fit in. */
const SOCKET_BUFFER = 4 << 20;

/** Addresses are addresses already; without this each datagram waits for a turn of the event loop. */
const loopbackLookup = ((
  host: string,
  _options: unknown,
  callback: (error: null, address: string, family: number) => void,
): void => callback(null, host, 4)) as unknown as NonNullable<SocketOptions['lookup']>;

export function loopbackSocket(): Socket {
  return createSocket({
    type: 'udp4',
    lookup: loopbackLookup,
    recvBufferSize: SOCKET_BUFFER,
    sendBufferSize: SOCKET_BUFFER,
  });
}
