// FAPI 2.0 Message Signing as a relying party does it: private_key_jwt, pushed and signed requests, signed responses, DPoP with
// nonces, signed introspection.

import assert from 'node:assert/strict';
import * as oidc from 'openid-client';
import { authorize, completed, done, issuer, keyPair, redirectUri, register, scope } from './house.js';

const { keys, jwks } = await keyPair('ES256', 'client-1');
const clientId = await register(jwks);
const key = { key: keys.privateKey, kid: 'client-1' };
const registered = {
  authorization_signed_response_alg: 'ES256',
  id_token_signed_response_alg: 'ES256',
  introspection_signed_response_alg: 'ES256',
};
const options = { execute: [oidc.allowInsecureRequests] };
const configuration = await oidc.discovery(issuer, clientId, registered, oidc.PrivateKeyJwt(key), options);
oidc.useJwtResponseMode(configuration);
oidc.enableNonRepudiationChecks(configuration);
const proofKeys = await oidc.randomDPoPKeyPair('ES256');
const DPoP = oidc.getDPoPHandle(configuration, proofKeys);

const pkceCodeVerifier = oidc.randomPKCECodeVerifier();
const expectedState = oidc.randomState();
const expectedNonce = oidc.randomNonce();
const signed = await oidc.buildAuthorizationUrlWithJAR(
  configuration,
  {
    redirect_uri: redirectUri,
    scope,
    state: expectedState,
    nonce: expectedNonce,
    code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
  },
  key,
);
assert.ok(signed.searchParams.has('request'));
completed('signed request');

const pushed = await oidc.buildAuthorizationUrlWithPAR(configuration, signed.searchParams, { DPoP });
assert.deepEqual([...pushed.searchParams.keys()].sort(), ['client_id', 'request_uri']);
completed('pushed request');

const callback = await authorize(pushed.href);
assert.deepEqual([...callback.searchParams.keys()], ['response']);
completed('signed response');

const checks = { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true };
const tokens = await oidc.authorizationCodeGrant(configuration, callback, checks, undefined, { DPoP });
assert.equal(tokens.token_type, 'dpop');
const { sub } = tokens.claims();
completed('authorization_code');

assert.equal((await oidc.fetchUserInfo(configuration, tokens.access_token, sub, { DPoP })).sub, sub);
completed('userinfo');
const other = oidc.getDPoPHandle(configuration, await oidc.randomDPoPKeyPair('ES256'));
await assert.rejects(oidc.fetchUserInfo(configuration, tokens.access_token, sub, { DPoP: other }));
await assert.rejects(oidc.fetchUserInfo(configuration, tokens.access_token, sub));
completed('no userinfo without the key');

// FAPI 2.0 Security Profile §5.3.2.1: no rotation; a confidential client may change its key.
for (const handle of [DPoP, other]) {
  const refreshed = await oidc.refreshTokenGrant(configuration, tokens.refresh_token, undefined, { DPoP: handle });
  assert.equal(refreshed.token_type, 'dpop');
  assert.ok(!refreshed.refresh_token || refreshed.refresh_token === tokens.refresh_token);
}
await assert.rejects(oidc.refreshTokenGrant(configuration, tokens.refresh_token), { error: 'invalid_request' });
completed('refresh_token');

const known = await oidc.tokenIntrospection(configuration, tokens.access_token);
assert.deepEqual([known.active, known.sub, known.token_type], [true, sub, 'DPoP']);
assert.ok(known.cnf.jkt);
completed('signed introspection');

await oidc.tokenRevocation(configuration, tokens.access_token);
assert.equal((await oidc.tokenIntrospection(configuration, tokens.access_token)).active, false);
await assert.rejects(oidc.fetchUserInfo(configuration, tokens.access_token, sub, { DPoP }));
completed('revocation');

// The code again: it is refused, and what it had led to is taken back.
await assert.rejects(
  oidc.authorizationCodeGrant(configuration, callback, checks, undefined, { DPoP }),
  { error: 'invalid_grant' },
);
await assert.rejects(
  oidc.refreshTokenGrant(configuration, tokens.refresh_token, undefined, { DPoP }),
  { error: 'invalid_grant' },
);
completed('no code twice');
done();
