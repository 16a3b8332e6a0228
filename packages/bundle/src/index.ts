/** @module The whole family as one program: YAML configuration, composition, the command `pua`. */
export { type App, type RunOptions, runApp } from './app.js';
export { explain } from './config/explain.js';
export { type Config, type LoadedConfig, type LogLevel, loadConfig, parseConfig } from './config/load.js';
export { ConfigError, type Problem, problemLine } from './config/problems.js';
export { logTopics, makeLogger } from './log.js';
export { main } from './program.js';
