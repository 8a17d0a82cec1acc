// FAPI 2.0, request by request. Every nonce may be good once only, so most requests are made twice. Where the server wants signed
// requests, it is Message Signing: answers are signed then too.

import assert from 'node:assert/strict';
import * as oauth from 'oauth4webapi';
import { api, apiScope, authorize, completed, done, issuer, keyPair, redirectUri, register, scope } from './house.js';

const { keys, jwks } = await keyPair('ES256', 'client-1');
const client = {
  client_id: await register(jwks),
  authorization_signed_response_alg: 'ES256',
  id_token_signed_response_alg: 'ES256',
};
const key = { key: keys.privateKey, kid: 'client-1' };
const authentication = oauth.PrivateKeyJwt(key);
const insecure = { [oauth.allowInsecureRequests]: true };
const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { ...insecure, algorithm: 'oauth2' }));
assert.equal(as.require_pushed_authorization_requests, true);
assert.deepEqual(as.token_endpoint_auth_methods_supported, ['private_key_jwt']);
const signing = as.require_signed_request_object;

const handle = async () => oauth.DPoP(client, await oauth.generateKeyPair('ES256'));
const options = { ...insecure, DPoP: await handle() };

/** Sends a request, and sends it again where the server asks for a nonce. */
async function twice(send, read = (response) => response) {
  try {
    return await read(await send());
  } catch (error) {
    if (!oauth.isDPoPNonceError(error)) throw error;
    return await read(await send());
  }
}

const verifier = oauth.generateRandomCodeVerifier();
const state = oauth.generateRandomState();
const nonce = oauth.generateRandomNonce();
const parameters = new URLSearchParams({
  client_id: client.client_id,
  redirect_uri: redirectUri,
  response_type: 'code',
  scope,
  state,
  nonce,
  resource: api,
  code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
  code_challenge_method: 'S256',
});
if (signing) parameters.set('response_mode', 'jwt');

const push = (parameters) =>
  twice(
    () => oauth.pushedAuthorizationRequest(as, client, authentication, parameters, options),
    (response) => oauth.processPushedAuthorizationResponse(as, client, response),
  );

/** The parameters as this server wants them. */
async function asked() {
  if (!signing) return parameters;
  await assert.rejects(push(parameters), { error: 'invalid_request' });
  const request = await oauth.issueRequestObject(as, client, parameters, key);
  completed('signed request');
  return new URLSearchParams({ client_id: client.client_id, request });
}

/** What the browser brings back; `validateAuthResponse` is not for signed answers. */
async function answered(url) {
  if (!signing) return oauth.validateAuthResponse(as, client, url, state);
  assert.deepEqual([...url.searchParams.keys()], ['response']);
  const answer = await oauth.validateJwtAuthResponse(as, client, url, state, insecure);
  completed('signed response');
  return answer;
}

const { request_uri, expires_in } = await push(await asked());
assert.ok(expires_in > 5 && expires_in < 600);
completed('pushed request');

const request = new URL(as.authorization_endpoint);
request.search = new URLSearchParams({ client_id: client.client_id, request_uri });
const callback = await answered(await authorize(request.href));
const tokens = await twice(
  () => oauth.authorizationCodeGrantRequest(as, client, authentication, callback, redirectUri, verifier, options),
  async (response) => {
    const checks = { expectedNonce: nonce, requireIdToken: true };
    const tokens = await oauth.processAuthorizationCodeResponse(as, client, response, checks);
    await oauth.validateApplicationLevelSignature(as, response, insecure);
    return tokens;
  },
);
assert.equal(tokens.token_type, 'dpop');
const { sub } = oauth.getValidatedIdTokenClaims(tokens);
completed('authorization_code');

const about = await twice(
  () => oauth.userInfoRequest(as, client, tokens.access_token, options),
  (response) => oauth.processUserInfoResponse(as, client, sub, response),
);
assert.equal(about.sub, sub);
completed('userinfo');

// As at any API: the library knows of it no more than its URL.
const resource = (options) =>
  twice(() =>
    oauth.protectedResourceRequest(tokens.access_token, 'GET', new URL(as.userinfo_endpoint), undefined, undefined, options),
  );
assert.deepEqual(await (await resource(options)).json(), about);
const challenge = (scheme, error) => ({ cause }) =>
  cause.some((challenge) => challenge.scheme === scheme && challenge.parameters.error === error);
await assert.rejects(resource({ ...insecure, DPoP: await handle() }), challenge('dpop', 'invalid_token'));
// A token that is bound to a key is none to the scheme Bearer (RFC 9449 §7.2).
await assert.rejects(resource(insecure), challenge('bearer', 'invalid_token'));
completed('protected resource');

const refreshed = await twice(
  () => oauth.refreshTokenGrantRequest(as, client, authentication, tokens.refresh_token, options),
  (response) => oauth.processRefreshTokenResponse(as, client, response),
);
assert.notEqual(refreshed.access_token, tokens.access_token);
completed('refresh_token');

const own = await twice(
  () => oauth.clientCredentialsGrantRequest(as, client, authentication, { scope: apiScope }, options),
  (response) => oauth.processClientCredentialsResponse(as, client, response),
);
assert.equal(own.token_type, 'dpop');
completed('client_credentials');

const introspection = await oauth.introspectionRequest(as, client, authentication, own.access_token, {
  ...insecure,
  requestJwtResponse: true,
});
const known = await oauth.processIntrospectionResponse(
  as,
  { ...client, introspection_signed_response_alg: 'ES256' },
  introspection,
);
await oauth.validateApplicationLevelSignature(as, introspection, insecure);
assert.deepEqual([known.active, known.client_id, known.scope], [true, client.client_id, apiScope]);
completed('signed introspection');

await oauth.processRevocationResponse(await oauth.revocationRequest(as, client, authentication, own.access_token, insecure));
const gone = await oauth.introspectionRequest(as, client, authentication, own.access_token, insecure);
assert.equal((await oauth.processIntrospectionResponse(as, client, gone)).active, false);
completed('revocation');
done();
