import assert from 'node:assert/strict';
import * as oidc from 'openid-client';
import { apiScope, authorize, client, completed, done, issuer, redirectUri, scope } from './house.js';

const basic = oidc.ClientSecretBasic(client.secret);
const options = { execute: [oidc.allowInsecureRequests] };
const configuration = await oidc.discovery(issuer, client.id, undefined, basic, options);
oidc.enableNonRepudiationChecks(configuration);

const pkceCodeVerifier = oidc.randomPKCECodeVerifier();
const expectedState = oidc.randomState();
const expectedNonce = oidc.randomNonce();
const request = oidc.buildAuthorizationUrl(configuration, {
  redirect_uri: redirectUri,
  scope,
  state: expectedState,
  nonce: expectedNonce,
  code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
  code_challenge_method: 'S256',
});
const checks = { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true };
const tokens = await oidc.authorizationCodeGrant(configuration, await authorize(request.href), checks);
const { sub } = tokens.claims();
completed('authorization_code');

assert.equal((await oidc.fetchUserInfo(configuration, tokens.access_token, sub)).sub, sub);
completed('userinfo');

const refreshed = await oidc.refreshTokenGrant(configuration, tokens.refresh_token);
assert.equal(refreshed.claims().sub, sub);
assert.notEqual(refreshed.refresh_token, tokens.refresh_token);
completed('refresh_token');

const own = await oidc.clientCredentialsGrant(configuration, { scope: apiScope });
assert.equal(own.scope, apiScope);
completed('client_credentials');

const known = await oidc.tokenIntrospection(configuration, refreshed.access_token);
assert.deepEqual([known.active, known.sub], [true, sub]);
completed('introspection');

await oidc.tokenRevocation(configuration, refreshed.refresh_token, { token_type_hint: 'refresh_token' });
assert.equal((await oidc.tokenIntrospection(configuration, refreshed.refresh_token)).active, false);
await assert.rejects(oidc.refreshTokenGrant(configuration, refreshed.refresh_token), { error: 'invalid_grant' });
completed('revocation');
done();
