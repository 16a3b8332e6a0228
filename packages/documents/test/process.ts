/** Calls of a body processor as the core makes them. */
import type { EventDefinition, ProcessInput, ProcessOutput } from '@pua/core';

const nothingNew = () => {
  throw new Error('no new id is needed');
};

/** With parameters off, the first version, nothing stored, and no new id at hand. */
export function runProcessor(event: EventDefinition, input: Partial<ProcessInput> & { body: string }): ProcessOutput {
  const parameters = { dlginfoIncreaseVersion: false, reginfoIncreaseVersion: false };
  return event.process!({ version: 0, tupleId: null, newId: nothingNew, parameters, ...input });
}
