/** What every kind of database must show. */
import { peersReady } from '@pua/testkit';
import type { Kind, Server } from './databases';
import { dialogsSuite } from './dialogs';
import { locationSuite } from './location';

jest.setTimeout(60_000);

/** @param more tests of this kind alone */
export function suite(kind: Kind, more: (server: () => Server) => void = () => undefined): void {
  (peersReady(kind.peers) ? describe : describe.skip)(kind.name, () => {
    let running: Server;
    const server = () => running;
    beforeAll(async () => {
      running = await kind.start();
    });
    afterAll(() => running.stop());
    locationSuite(kind, server);
    dialogsSuite(kind, server);
    more(server);
  });
}
