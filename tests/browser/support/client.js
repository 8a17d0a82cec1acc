// Relying parties: openid-client, unmodified, and a callback of their own.

import { createServer } from 'node:http';
import * as oidc from 'openid-client';
import * as settings from './settings.js';

/** openid-client's configuration for a public client; the ID token's signature is verified too. */
async function discover(clientId) {
  const execute = settings.issuer.startsWith('http:') ? [oidc.allowInsecureRequests] : [];
  const configuration = await oidc.discovery(
    new URL(settings.issuer),
    clientId,
    undefined,
    oidc.None(),
    { execute },
  );
  oidc.enableNonRepudiationChecks(configuration);
  return configuration;
}

/** Serves `handler` on a free loopback port until the suite ends; returns the port. */
export async function serve(t, handler) {
  const server = createServer(handler);
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.closeAllConnections() ?? server.close());
  return server.address().port;
}

/** A page of a test's own. */
export function html(response, body) {
  response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
  response.end(`<!doctype html><html lang="en"><title>test</title><body>${body}</body></html>`);
}

/** The grants openid-client has completed against this server. */
export const completed = new Set();

/** One authorization request and what the client keeps of it. */
class Request {
  constructor(configuration, redirectUri, url, checks) {
    Object.assign(this, { configuration, redirectUri, url, checks });
  }

  /** The page's next visit to the redirect URI: what the authorization server answered. */
  async answer(page, action) {
    const isAnswer = (request) => request.isNavigationRequest() && request.url().startsWith(`${this.redirectUri}?`);
    const [request] = await Promise.all([page.waitForRequest(isAnswer), action()]);
    return new URL(request.url());
  }

  /** Redeems an answer. openid-client checks `state`, `iss`, `nonce`, the ID token, and throws on an error answer. */
  async redeem(answer) {
    const tokens = await oidc.authorizationCodeGrant(this.configuration, answer, this.checks);
    completed.add('authorization_code');
    return tokens;
  }
}

/** A client. */
class Client {
  constructor(configuration, redirectUri) {
    Object.assign(this, { configuration, redirectUri });
  }

  /** A fresh request; `parameters` add to and replace the usual ones. */
  async request(parameters = {}) {
    const pkceCodeVerifier = oidc.randomPKCECodeVerifier();
    const expectedState = oidc.randomState();
    const expectedNonce = oidc.randomNonce();
    const url = oidc.buildAuthorizationUrl(this.configuration, {
      redirect_uri: this.redirectUri,
      scope: 'openid profile email',
      code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
      code_challenge_method: 'S256',
      state: expectedState,
      nonce: expectedNonce,
      ...parameters,
    });
    const checks = { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true };
    if (parameters.max_age !== undefined) checks.maxAge = Number(parameters.max_age);
    return new Request(this.configuration, this.redirectUri, url.href, checks);
  }

  /** UserInfo about the person the tokens are of; openid-client compares `sub`. */
  userInfo(tokens) {
    return oidc.fetchUserInfo(this.configuration, tokens.access_token, tokens.claims().sub);
  }
}

/** The client on this device. `callback` answers at its redirect URI. */
export async function appClient(t, callback = (_, response) => html(response, 'Welcome back.')) {
  const port = await serve(t, callback);
  return new Client(await discover(settings.app.id), `http://127.0.0.1:${port}${settings.app.path}`);
}

/** The client under https. Nothing listens there; the tests read what the browser asks for. */
export async function siteClient() {
  return new Client(await discover(settings.site.id), settings.site.redirectUri);
}
