// What a client is configured with, and its words with the test that runs it: see ../program.rs.

import { createInterface } from 'node:readline/promises';
import { exportJWK, generateKeyPair } from 'jose';

const lines = createInterface({ input: process.stdin, terminal: false });
const answers = lines[Symbol.asyncIterator]();

export const issuer = new URL(process.env.ISSUER);
export const api = process.env.API;
export const client = { id: process.env.CLIENT_ID, secret: process.env.CLIENT_SECRET };
export const redirectUri = process.env.REDIRECT_URI;
export const scope = process.env.SCOPE;
export const apiScope = process.env.API_SCOPE;

/** Sends the person to an authorization request; returns the URL their browser was sent to. */
export async function authorize(url) {
  console.log(`authorize ${url}`);
  const { value } = await answers.next();
  return new URL(value);
}

/** A new key pair, and its public half as a JWK Set. */
export async function keyPair(algorithm, kid) {
  const keys = await generateKeyPair(algorithm);
  return { keys, jwks: { keys: [{ ...(await exportJWK(keys.publicKey)), kid, alg: algorithm, use: 'sig' }] } };
}

/** Has a client registered with these keys; returns its `client_id`. */
export async function register(jwks) {
  console.log(`register ${JSON.stringify(jwks)}`);
  const { value } = await answers.next();
  return value;
}

export function completed(what) {
  console.log(`completed ${what}`);
}

/** Nothing more will be asked. */
export function done() {
  lines.close();
}
