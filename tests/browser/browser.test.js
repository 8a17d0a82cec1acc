// Everything in `suites/`, against one server: the one that ATTESTO_ISSUER names, or one started here.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { completed } from './support/client.js';
import { startServer } from './support/server.js';
import { issuer, useIssuer } from './support/settings.js';

if (!issuer) {
  const server = await startServer();
  after(() => server.stop());
  useIssuer(server.issuer);
}

// Only now: some suites look at the issuer as they load.
for (const suite of ['sign-in', 'consent', 'prompts', 'forgery', 'pages']) await import(`./suites/${suite}.js`);

test('openid-client, unmodified, has completed the grant: authorization_code', () => {
  assert.deepEqual([...completed], ['authorization_code']);
});
