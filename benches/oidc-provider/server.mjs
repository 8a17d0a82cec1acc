// oidc-provider as the bench runs it: what Attesto does, by this server's own means.
//
// Signed JWT access tokens (ES256) for one API, refresh tokens that rotate, one confidential client with its secret in
// the Authorization header. People sign in and agree on the development pages it comes with.
//
// Another client has a key: it pushes its requests, authenticates with assertions and proves possession with DPoP.
//
//     node server.mjs <port> <client id> <client secret> <redirect URI> <API> <scope of the API>
//                     <id of the client with a key> <its JWK Set> [its store | map]

import { generateKeyPairSync, randomBytes } from 'node:crypto';
import Provider from 'oidc-provider';

const [port, clientId, clientSecret, redirectUri, api, apiScope, keyClientId, jwks, store = 'map'] = process.argv.slice(2);
const issuer = `http://localhost:${port}`;

/**
 * Entries in maps, which is the least a store can do. The adapter that oidc-provider brings walks all tokens of a grant
 * whenever one is added to it; that is meant for development, and would be measured instead of the protocol.
 */
class Maps {
  static #models = new Map();
  #entries;

  constructor(model) {
    if (!Maps.#models.has(model)) Maps.#models.set(model, new Map());
    this.#entries = Maps.#models.get(model);
  }

  async upsert(id, payload, expiresIn) {
    this.#entries.set(id, payload);
    // Entries that nobody asks for again would fill the memory: the oldest go.
    if (this.#entries.size > 10_000) this.#entries.delete(this.#entries.keys().next().value);
  }

  async find(id) {
    return this.#entries.get(id);
  }

  async findByUid(uid) {
    for (const payload of this.#entries.values()) if (payload.uid === uid) return payload;
    return undefined;
  }

  async consume(id) {
    this.#entries.get(id).consumed = Math.floor(Date.now() / 1000);
  }

  async destroy(id) {
    this.#entries.delete(id);
  }

  async revokeByGrantId(grantId) {
    for (const [id, payload] of this.#entries) if (payload.grantId === grantId) this.#entries.delete(id);
  }
}

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const key = { ...privateKey.export({ format: 'jwk' }), alg: 'ES256', use: 'sig', kid: 'bench' };

const provider = new Provider(issuer, {
  adapter: store === 'map' ? Maps : undefined,
  jwks: { keys: [key] },
  cookies: { keys: [randomBytes(32).toString('base64url')] },
  clients: [
    {
      client_id: clientId,
      client_secret: clientSecret,
      redirect_uris: [redirectUri],
      grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
      token_endpoint_auth_method: 'client_secret_basic',
      id_token_signed_response_alg: 'ES256',
    },
    {
      client_id: keyClientId,
      redirect_uris: [redirectUri],
      grant_types: ['authorization_code'],
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_signing_alg: 'ES256',
      jwks: JSON.parse(jwks),
      dpop_bound_access_tokens: true,
      id_token_signed_response_alg: 'ES256',
    },
  ],
  enabledJWA: { clientAuthSigningAlgValues: ['ES256'], dPoPSigningAlgValues: ['ES256'] },
  clientAuthMethods: ['client_secret_basic', 'private_key_jwt'],
  scopes: ['openid', 'offline_access'],
  features: {
    clientCredentials: { enabled: true },
    dPoP: { enabled: true },
    pushedAuthorizationRequests: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => api,
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({
        scope: apiScope,
        audience: api,
        accessTokenFormat: 'jwt',
        accessTokenTTL: 300,
        jwt: { sign: { alg: 'ES256' } },
      }),
    },
  },
  rotateRefreshToken: () => true,
});

provider.on('server_error', (ctx, error) => console.error(error));
provider.listen(Number(port), '127.0.0.1', () => console.log(`listening on ${issuer}`));
