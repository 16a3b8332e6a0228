import { createSocket } from 'node:dgram';

const PROBE_MS = 300;
const PROBE_EACH_MS = 20;

/** Resolves when something answers an OPTIONS. */
export function probe(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4');
    let repeat: NodeJS.Timeout | undefined;
    const end = (error?: Error) => {
      clearTimeout(timer);
      clearInterval(repeat);
      socket.close();
      if (error) reject(error);
      else resolve();
    };
    const timer = setTimeout(() => end(new Error('no answer to OPTIONS')), PROBE_MS);
    socket.once('message', () => end());
    socket.once('error', end);
    socket.bind(0, '127.0.0.1', () => {
      const lines = [
        `OPTIONS sip:127.0.0.1:${port} SIP/2.0`,
        `Via: SIP/2.0/UDP 127.0.0.1:${socket.address().port};branch=z9hG4bK${process.pid}${performance.now()}`,
        'Max-Forwards: 10',
        'From: <sip:probe@127.0.0.1>;tag=probe',
        `To: <sip:127.0.0.1:${port}>`,
        `Call-ID: probe-${performance.now()}`,
        'CSeq: 1 OPTIONS',
        'Content-Length: 0',
      ];
      const send = () => socket.send(`${lines.join('\r\n')}\r\n\r\n`, port, '127.0.0.1');
      // Again and again, so that who waits hears of the moment at which it is there.
      repeat = setInterval(send, PROBE_EACH_MS);
      send();
    });
  });
}
