// Installs and builds; nothing else.
import { prepare } from './steps.mjs';

await prepare();
