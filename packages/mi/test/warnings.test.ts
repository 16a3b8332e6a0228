/** Many callers at once are no reason for a warning on standard error. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { PIDF } from './support';

/** 30 publications that nobody answers wait at the same time: half of them on connections of their own, half in a batch. */
const PROGRAM = `
const { createSocket } = require('node:dgram');
const { request } = require('node:http');
const { createPua } = require('@pua/core');
const { embeddedSip } = require('@pua/sip');
const { mi } = require('./dist/index.js');
const post = (url, body) => new Promise((done, failed) => {
  const call = request(url + '/RPC', { method: 'POST', agent: false, headers: { 'Content-Type': 'application/json' } });
  call.on('error', failed).on('response', (answer) => answer.resume().on('end', done));
  call.end(JSON.stringify(body));
});
const silent = createSocket('udp4');
silent.bind(0, '127.0.0.1', async () => {
  const outboundProxy = 'sip:127.0.0.1:' + silent.address().port;
  const pua = createPua({ sip: embeddedSip({ listen: ['udp:127.0.0.1:0'] }), outboundProxy });
  const module = mi({ listen: '127.0.0.1:0', waitMs: 300 });
  await pua.use(module).start();
  const calls = Array.from({ length: 30 }, (_, id) => ({
    jsonrpc: '2.0', id, method: 'pua.publish',
    params: { uri: 'sip:u' + id + '@example.com', event: 'presence', body: process.argv[1] },
  }));
  const { url } = module.address;
  const all = [...calls.slice(15).map((one) => post(url, one)), post(url, calls.slice(0, 15))];
  await Promise.all(all);
  await pua.stop(0);
  silent.close();
  console.log('done');
});`;

test('30 calls that wait at once, alone and in a batch', async () => {
  const child = spawn(process.execPath, ['-e', PROGRAM, PIDF], { cwd: join(__dirname, '..') });
  let out = '';
  let err = '';
  child.stdout.on('data', (data: Buffer) => {
    out += data.toString('utf8');
  });
  child.stderr.on('data', (data: Buffer) => {
    err += data.toString('utf8');
  });
  await new Promise((closed) => child.once('close', closed));
  expect([out.trim(), err]).toEqual(['done', '']);
}, 20_000);
