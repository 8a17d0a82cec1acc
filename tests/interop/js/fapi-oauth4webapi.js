// FAPI 2.0 Security Profile, request by request: every nonce is good once, so most requests are made twice.

import assert from 'node:assert/strict';
import * as oauth from 'oauth4webapi';
import { api, apiScope, authorize, completed, done, issuer, keyPair, redirectUri, register, scope } from './house.js';

const { keys, jwks } = await keyPair('ES256', 'client-1');
const client = { client_id: await register(jwks), id_token_signed_response_alg: 'ES256' };
const authentication = oauth.PrivateKeyJwt({ key: keys.privateKey, kid: 'client-1' });
const insecure = { [oauth.allowInsecureRequests]: true };
const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { ...insecure, algorithm: 'oauth2' }));
assert.equal(as.require_pushed_authorization_requests, true);
assert.deepEqual(as.token_endpoint_auth_methods_supported, ['private_key_jwt']);

const DPoP = oauth.DPoP(client, await oauth.generateKeyPair('ES256'));
const options = { ...insecure, DPoP };

/** Sends a request, and sends it again where the server asks for a nonce. */
async function twice(send, read) {
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
const { request_uri, expires_in } = await twice(
  () => oauth.pushedAuthorizationRequest(as, client, authentication, parameters, options),
  (response) => oauth.processPushedAuthorizationResponse(as, client, response),
);
assert.ok(expires_in > 5 && expires_in < 600);
completed('pushed request');

const request = new URL(as.authorization_endpoint);
request.search = new URLSearchParams({ client_id: client.client_id, request_uri });
const callback = oauth.validateAuthResponse(as, client, await authorize(request.href), state);
const tokens = await twice(
  () => oauth.authorizationCodeGrantRequest(as, client, authentication, callback, redirectUri, verifier, options),
  (response) => oauth.processAuthorizationCodeResponse(as, client, response, { expectedNonce: nonce, requireIdToken: true }),
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
assert.deepEqual([known.active, known.client_id, known.scope], [true, client.client_id, apiScope]);
completed('signed introspection');

await oauth.processRevocationResponse(await oauth.revocationRequest(as, client, authentication, own.access_token, insecure));
const gone = await oauth.introspectionRequest(as, client, authentication, own.access_token, insecure);
assert.equal((await oauth.processIntrospectionResponse(as, client, gone)).active, false);
completed('revocation');
done();
