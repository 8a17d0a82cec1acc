// What is tested, and with whose account.

const env = (name, otherwise) => process.env[name] || otherwise;

/** The authorization server: the one in the variable, or the one that was started for this run. */
export let issuer = process.env.ATTESTO_ISSUER;

export function useIssuer(started) {
  issuer = started;
}

/** A public client with a redirect URI on the loopback address, `http://127.0.0.1/callback` on any port (RFC 8252 §7.3). */
export const app = { id: env('ATTESTO_CLIENT_ID', 'demo'), path: env('ATTESTO_CALLBACK_PATH', '/callback') };

/** A public client with a redirect URI under https, where consent is remembered. */
export const site = {
  id: env('ATTESTO_SITE_CLIENT_ID', 'demo-site'),
  redirectUri: env('ATTESTO_SITE_REDIRECT_URI', 'https://site.example/callback'),
};

/** A person. */
export const person = {
  username: env('ATTESTO_USERNAME', 'alice'),
  password: env('ATTESTO_PASSWORD', 'correct horse battery staple'),
};

/** The prefix of the person's pages. */
export const prefix = env('ATTESTO_ACCOUNT_PREFIX', '/account');

/** The browser. */
export const chromium = env('CHROMIUM', '/usr/bin/chromium');

/** Where to put pictures of the pages; nowhere unless set. */
export const screenshots = env('ATTESTO_SCREENSHOTS', '');
