// Everything in `suites/`, against one server: the one that ATTESTO_ISSUER names, or one started here.

import { after } from 'node:test';
import { startServer } from './support/server.js';
import { issuer, useIssuer } from './support/settings.js';

if (!issuer) {
  const server = await startServer();
  after(() => server.stop());
  useIssuer(server.issuer);
}

// Only now: some suites look at the issuer as they load.
for (const suite of ['sign-in', 'consent', 'prompts', 'forgery', 'pages']) await import(`./suites/${suite}.js`);
