import { World } from './support/world';
import { binding, HOUR, NOW } from './support/registrar';
test('smoke', async () => {
  const w = await World.start();
  const b = w.registrar.insert(binding());
  await w.advance(100);
  console.log(w.sent, w.documents);
  w.registrar.update(b, { expiresAt: NOW + 2 * HOUR });
  await w.advance(100);
  w.registrar.delete(b);
  await w.advance(100);
  console.log(w.sent.map((s) => [s.uri, s.ifMatch, s.expires, s.body.length, s.status]), w.faults);
  await w.stop();
  console.log(w.clock.pending);
});
