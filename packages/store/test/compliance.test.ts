import { storeCompliance } from './compliance';
import { sqliteFixture } from './sqlite-fixture';

// Processes and threads start slowly on a busy machine.
jest.setTimeout(30_000);

storeCompliance('SQLite', sqliteFixture);
