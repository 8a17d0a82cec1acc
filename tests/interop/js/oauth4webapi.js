import assert from 'node:assert/strict';
import * as oauth from 'oauth4webapi';
import { api, apiScope, authorize, client as registered, completed, done, issuer, redirectUri, scope } from './house.js';

const insecure = { [oauth.allowInsecureRequests]: true };
const client = { client_id: registered.id };
const secret = oauth.ClientSecretBasic(registered.secret);
const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { ...insecure, algorithm: 'oauth2' }));

async function introspect(token) {
  const response = await oauth.introspectionRequest(as, client, secret, token, insecure);
  return oauth.processIntrospectionResponse(as, client, response);
}

const verifier = oauth.generateRandomCodeVerifier();
const state = oauth.generateRandomState();
const nonce = oauth.generateRandomNonce();
const request = new URL(as.authorization_endpoint);
request.search = new URLSearchParams({
  client_id: client.client_id,
  redirect_uri: redirectUri,
  response_type: 'code',
  scope,
  state,
  nonce,
  code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
  code_challenge_method: 'S256',
});
const callback = oauth.validateAuthResponse(as, client, await authorize(request.href), state);
const codeResponse = await oauth.authorizationCodeGrantRequest(as, client, secret, callback, redirectUri, verifier, insecure);
const checks = { expectedNonce: nonce, requireIdToken: true };
const tokens = await oauth.processAuthorizationCodeResponse(as, client, codeResponse, checks);
await oauth.validateApplicationLevelSignature(as, codeResponse, insecure);
const { sub } = oauth.getValidatedIdTokenClaims(tokens);
completed('authorization_code');

const about = await oauth.userInfoRequest(as, client, tokens.access_token, insecure);
assert.equal((await oauth.processUserInfoResponse(as, client, sub, about)).sub, sub);
completed('userinfo');

const refreshResponse = await oauth.refreshTokenGrantRequest(as, client, secret, tokens.refresh_token, insecure);
const refreshed = await oauth.processRefreshTokenResponse(as, client, refreshResponse);
await oauth.validateApplicationLevelSignature(as, refreshResponse, insecure);
assert.notEqual(refreshed.refresh_token, tokens.refresh_token);
assert.notEqual(refreshed.access_token, tokens.access_token);
completed('refresh_token');

const ownResponse = await oauth.clientCredentialsGrantRequest(as, client, secret, { scope: apiScope }, insecure);
const own = await oauth.processClientCredentialsResponse(as, client, ownResponse);
const protectedRequest = new Request(api, { headers: { authorization: `Bearer ${own.access_token}` } });
const claims = await oauth.validateJwtAccessToken(as, protectedRequest, api, insecure);
assert.equal(claims.client_id, client.client_id);
assert.equal(claims.scope, apiScope);
completed('client_credentials');

const known = await introspect(own.access_token);
assert.deepEqual([known.active, known.client_id, known.scope], [true, client.client_id, apiScope]);
completed('introspection');

for (const token of [own.access_token, refreshed.refresh_token]) {
  await oauth.processRevocationResponse(await oauth.revocationRequest(as, client, secret, token, insecure));
  assert.equal((await introspect(token)).active, false);
}
completed('revocation');
done();
