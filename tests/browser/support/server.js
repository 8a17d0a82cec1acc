// `attesto serve` with the repository's manifest, on a free port, with keys, clients and a person made for this run.

import { execFileSync, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { app, person, site } from './settings.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** How long the server may take to compile its components and listen, in milliseconds. */
const START = 180_000;

/** The `attesto` command: the one in the variable ATTESTO, or cargo's. */
function command() {
  if (process.env.ATTESTO) return process.env.ATTESTO;
  const build = ['build', '--package', 'attesto-cli', '--message-format', 'json-render-diagnostics'];
  const messages = execFileSync('cargo', build, { cwd: ROOT, encoding: 'utf8', maxBuffer: 64 << 20, stdio: ['ignore', 'pipe', 'inherit'] });
  const artifacts = messages.split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
  return artifacts.findLast((artifact) => artifact.executable && artifact.target.name === 'attesto').executable;
}

/** A port of the loopback address that was free a moment ago. */
async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Starts the server; `stop` ends it and forgets its state. */
export async function startServer() {
  const attesto = command();
  const directory = await mkdtemp(join(tmpdir(), 'attesto-browser-'));
  const [variables, state] = [join(directory, 'variables.toml'), join(directory, 'state.db')];
  const run = (args, input = '') => execFileSync(attesto, args, { input, stdio: ['pipe', 'ignore', 'inherit'] });
  const addClient = (id, name, uri) =>
    run(['clients', 'add', '--state', state, '--client-id', id, '--name', name, '--redirect-uri', uri]);
  run(['keys', 'generate', '--variables-file', variables]);
  addClient(app.id, 'Demo app', `http://127.0.0.1${app.path}`);
  addClient(site.id, 'Photo Shelf', site.redirectUri);
  const user = ['users', 'add', person.username, '--state', state, '--name', 'Alice Doe', '--email', 'alice@example.com'];
  run(user, `${person.password}\n`);

  const port = await freePort();
  const issuer = `http://127.0.0.1:${port}`;
  const settings = (await readFile(join(ROOT, 'attesto.toml'), 'utf8')).replace(/^issuer = .*$/m, `issuer = "${issuer}"`);
  const places = ['--manifest', join(ROOT, 'spin.toml'), '--state', state, '--variables-file', variables];
  const args = ['serve', ...places, '--variable', `attesto_toml=${settings}`, '--listen', `127.0.0.1:${port}`, '--quiet'];
  const server = spawn(attesto, args, { stdio: 'inherit' });
  const ended = new Promise((resolve) => server.once('exit', resolve));
  const kill = () => server.kill();
  process.once('exit', kill);
  const stop = async () => {
    process.off('exit', kill);
    kill();
    await ended;
    await rm(directory, { recursive: true });
  };
  try {
    await answers(issuer, server);
  } catch (error) {
    await stop();
    throw error;
  }
  return { issuer, stop };
}

/** Waits until the server answers. */
async function answers(issuer, server) {
  for (const end = Date.now() + START; Date.now() < end; ) {
    if (server.exitCode !== null) throw new Error(`attesto serve ended with ${server.exitCode}`);
    const response = await fetch(`${issuer}/.well-known/openid-configuration`).catch(() => undefined);
    if (response?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`attesto serve did not answer within ${START / 1000} seconds`);
}
