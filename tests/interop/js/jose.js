// jose as resource servers and relying parties use it: it fetches the keys and verifies what was signed.

import assert from 'node:assert/strict';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import * as oidc from 'openid-client';
import { api, apiScope, authorize, client, completed, done, issuer, redirectUri, scope } from './house.js';

const basic = oidc.ClientSecretBasic(client.secret);
const options = { execute: [oidc.allowInsecureRequests] };
const configuration = await oidc.discovery(issuer, client.id, undefined, basic, options);
const metadata = configuration.serverMetadata();
const keys = createRemoteJWKSet(new URL(metadata.jwks_uri));

/** RFC 9068 §4. */
async function accessToken(token) {
  const wanted = { issuer: metadata.issuer, audience: api, typ: 'at+jwt', requiredClaims: ['sub', 'client_id', 'iat', 'exp', 'jti'] };
  const { payload, protectedHeader } = await jwtVerify(token, keys, wanted);
  assert.equal(protectedHeader.alg, 'ES256');
  return payload;
}

const pkceCodeVerifier = oidc.randomPKCECodeVerifier();
const request = oidc.buildAuthorizationUrl(configuration, {
  redirect_uri: redirectUri,
  scope,
  code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
  code_challenge_method: 'S256',
});
const tokens = await oidc.authorizationCodeGrant(configuration, await authorize(request.href), { pkceCodeVerifier });
const { sub } = await accessToken(tokens.access_token);
completed('access token of a person');

const algorithms = metadata.id_token_signing_alg_values_supported;
const idToken = await jwtVerify(tokens.id_token, keys, { issuer: metadata.issuer, audience: client.id, algorithms });
assert.equal(idToken.payload.sub, sub);
completed('ID token');

const own = await oidc.clientCredentialsGrant(configuration, { scope: apiScope });
assert.equal((await accessToken(own.access_token)).client_id, client.id);
completed('access token of a client');
done();
