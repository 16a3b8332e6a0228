/** The test kit's double of drachtio-server as a process of its own; its port is that of the admin protocol. */
import { DrachtioServer } from '@pua/testkit';
import { ready } from './peer.js';

DrachtioServer.start().then((server) => ready(server.port));
