/** `pua check`: the effective configuration, or everything that is wrong with it. */
import { explain } from '../config/explain.js';
import { loadConfig } from '../config/load.js';
import { EXIT, type ExitCode } from '../exit.js';

export function check(file: string, print: (text: string) => void): ExitCode {
  const loaded = loadConfig(file);
  const { mi } = loaded.config.modules;
  const { engine, drachtio } = loaded.config.sip;
  const http = mi
    ? `HTTP on ${mi.listen}, ${mi.token === null ? 'without token (loopback only)' : 'with token'}`
    : 'no HTTP: the module mi is not loaded';
  const notes = [
    http,
    ...(engine === 'drachtio'
      ? [
          `SIP by drachtio-server at ${drachtio.host}:${drachtio.port}; sip.listen, sip.advertise and sip.tls have no effect`,
        ]
      : []),
    ...(loaded.config.pua.dbMode === 1 ? ['pua.db_mode 1 is reserved; 0 is used'] : []),
    ...loaded.warnings,
  ];
  print(`# Effective configuration of ${file}: it is fine.\n`);
  for (const note of notes) print(`# ${note}\n`);
  print(explain(loaded));
  return EXIT.fine;
}
