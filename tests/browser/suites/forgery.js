// Forged forms. Each attacker here knows every field of the form, tokens included: the browser itself has to keep them out.

import assert from 'node:assert/strict';
import { before, suite, test } from 'node:test';
import { decide, newPerson, resources, signIn, startBrowser } from '../support/browser.js';
import { appClient, html, serve } from '../support/client.js';
import { issuer, person, prefix } from '../support/settings.js';

suite('forged forms', () => {
  const suiteEnd = resources();
  let browser;
  let client;
  before(async () => {
    browser = await startBrowser(suiteEnd);
    client = await appClient(suiteEnd);
  });

  const at = (path) => new URL(`${prefix}${path}`, issuer).href;

  /** The hidden fields of the form that posts to `path`. */
  const fieldsOf = (page, path) =>
    page.locator(`form[action$="${path}"]`).evaluate((form) => Object.fromEntries(new FormData(form)));

  /** A person at the consent page. */
  async function atConsent(t) {
    const { context, page } = await newPerson(t, browser);
    const request = await client.request();
    await page.goto(request.url);
    await signIn(page);
    await page.getByRole('button', { name: 'Allow', exact: true }).waitFor();
    return { context, page, request };
  }

  /** Has the victim's browser submit a form from an attacker's page, and returns the answer. */
  async function submitFrom(t, host, page, path, fields) {
    const inputs = Object.entries(fields)
      .map(([name, value]) => `<input name="${name}" value="${value.replaceAll('&', '&amp;').replaceAll('"', '&quot;')}">`)
      .join('');
    const port = await serve(t, (_, response) =>
      html(response, `<form method="post" action="${at(path)}">${inputs}<button>Win a prize</button></form>`));
    await page.goto(`http://${host}:${port}/`);
    const [response] = await Promise.all([
      page.waitForResponse((response) => response.url() === at(path)),
      page.getByRole('button', { name: 'Win a prize' }).click(),
    ]);
    return response;
  }

  // `localhost` and 127.0.0.1 are two sites; another port is another origin of the same site, and gets the cookies.
  const here = new URL(issuer).hostname;
  const elsewhere = here === 'localhost' ? '127.0.0.1' : 'localhost';
  for (const [what, host] of [['another site', elsewhere], ['another origin of this site', here]]) {
    test(`a consent form sent from ${what} is refused`, async (t) => {
      const { page } = await atConsent(t);
      const fields = { ...(await fieldsOf(page, '/consent')), decision: 'allow' };
      assert.equal((await submitFrom(t, host, page, '/consent', fields)).status(), 403);
      await page.getByRole('heading', { name: 'This page is out of date' }).waitFor();
    });

    test(`a sign-in form sent from ${what} signs nobody in`, async (t) => {
      const { context, page } = await newPerson(t, browser);
      await page.goto((await client.request()).url);
      const fields = { ...(await fieldsOf(page, '/sign-in')), ...person };
      assert.equal((await submitFrom(t, host, page, '/sign-in', fields)).status(), 403);
      assert.ok(!(await context.cookies(issuer)).some((cookie) => cookie.name.endsWith('attesto_session')));
    });
  }

  test('a sign-in form from the attacker’s own browser signs nobody in', async (t) => {
    const attacker = await newPerson(t, browser);
    await attacker.page.goto((await client.request()).url);
    const fields = { ...(await fieldsOf(attacker.page, '/sign-in')), ...person };
    const victim = await newPerson(t, browser);
    await victim.page.goto((await client.request()).url);
    const response = await victim.context.request.post(at('/sign-in'), { form: fields, headers: { origin: issuer } });
    assert.equal(response.status(), 403);
  });

  test('a consent form counts once', async (t) => {
    const { context, page, request } = await atConsent(t);
    const form = { ...(await fieldsOf(page, '/consent')), decision: 'allow' };
    const answer = await request.answer(page, () => decide(page, 'Allow'));
    assert.ok(answer.searchParams.has('code'));
    const replay = await context.request.post(at('/consent'), { form, headers: { origin: issuer }, maxRedirects: 0 });
    assert.equal(replay.status(), 400);
    assert.equal(replay.headers().location, undefined);
  });

  test('a consent form with another client’s request in it is refused', async (t) => {
    const { context, page } = await atConsent(t);
    const form = { ...(await fieldsOf(page, '/consent')), decision: 'allow' };
    for (const field of ['parameters', 'grant', 'scope', 'client_id', 'redirect_uri', 'token']) {
      const changed = { ...form, [field]: `${form[field]}x` };
      const response = await context.request.post(at('/consent'), { form: changed, headers: { origin: issuer }, maxRedirects: 0 });
      assert.equal(response.status(), 403, field);
    }
  });

  test('one person’s consent form is nothing in another’s browser', async (t) => {
    const { page } = await atConsent(t);
    const form = { ...(await fieldsOf(page, '/consent')), decision: 'allow' };
    const other = await atConsent(t);
    const response = await other.context.request.post(at('/consent'), { form, headers: { origin: issuer }, maxRedirects: 0 });
    assert.equal(response.status(), 403);
  });

  test('malformed posts get a page and not a fault', async (t) => {
    const { context } = await atConsent(t);
    const type = 'application/x-www-form-urlencoded';
    const post = async (data, headers) =>
      (await context.request.post(at('/consent'), { data, headers: { origin: issuer, ...headers } })).status();
    assert.equal(await post('a=1&a=2', { 'content-type': type }), 400);
    assert.equal(await post('a=%FF', { 'content-type': type }), 400);
    assert.equal(await post(Buffer.from([0x61, 0x3d, 0xff]), { 'content-type': type }), 400);
    assert.equal(await post('{"a":1}', { 'content-type': 'application/json' }), 415);
    assert.ok((await post('a'.repeat(70_000), { 'content-type': type })) >= 400);
  });
});
