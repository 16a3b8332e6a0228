import { createSocket } from 'node:dgram';
import type { BindDatagram } from '@pua/sip';

const BUFFER_BYTES = 4 * 1024 * 1024;

/** A real UDP socket; port 0 takes a free one. Rejects with the system's error, such as EADDRINUSE. */
export const bindUdp: BindDatagram = (host, port, receive) =>
  new Promise((resolve, reject) => {
    const socket = createSocket({ type: host.includes(':') ? 'udp6' : 'udp4', recvBufferSize: BUFFER_BYTES });
    socket.once('error', reject);
    socket.on('message', (data, { address, port: fromPort }) => receive(data, address, fromPort));
    socket.bind(port, host, () => {
      socket.off('error', reject);
      // ICMP errors of earlier datagrams arrive here; UDP has no use for them.
      socket.on('error', () => undefined);
      const bound = socket.address();
      resolve({
        host: bound.address,
        port: bound.port,
        send: (data, toPort, toHost) => socket.send(data, toPort, toHost, () => undefined),
        close: () => new Promise<void>((closed) => socket.close(() => closed())),
      });
    });
  });
