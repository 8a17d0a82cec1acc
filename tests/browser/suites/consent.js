// Consenting: what the page shows, what the answers come to, and what is remembered.

import assert from 'node:assert/strict';
import { before, suite, test } from 'node:test';
import { decide, isSignInPage, newPerson, resources, signIn, startBrowser } from '../support/browser.js';
import { appClient, html, serve, siteClient } from '../support/client.js';
import { site } from '../support/settings.js';

suite('consenting', () => {
  const suiteEnd = resources();
  let browser;
  let app;
  let siteApp;
  before(async () => {
    browser = await startBrowser(suiteEnd);
    app = await appClient(suiteEnd);
    siteApp = await siteClient();
  });

  /** Answers the site's consent page. */
  async function answerSite(t, decision) {
    const { context, page } = await newPerson(t, browser);
    const request = await siteApp.request({ prompt: 'consent' });
    await page.goto(request.url);
    await signIn(page);
    await request.answer(page, () => decide(page, decision));
    return { context };
  }

  /** The answer to a request that needs no page. Each has a tab of its own: where the site is, nothing loads. */
  async function visit(context, request) {
    const page = await context.newPage();
    return request.answer(page, () => page.goto(request.url).catch(() => {}));
  }

  test('the page names the client, the person, the permissions and the place it leads to', async (t) => {
    const { page } = await newPerson(t, browser);
    const request = await app.request();
    await page.goto(request.url);
    await signIn(page);
    await page.getByRole('heading', { level: 1, name: /^Allow .+ to use your account\?$/ }).waitFor();
    const permissions = await page.getByRole('list').getByRole('listitem').allInnerTexts();
    assert.deepEqual(
      permissions.map((text) => text.trim()).sort(),
      ['Recognise you when you sign in', 'See your email address', 'See your name and the rest of your profile'],
    );
    const text = await page.innerText('main');
    assert.ok(text.includes(new URL(request.redirectUri).host), 'where it leads');
    assert.ok(text.includes('Signed in as'), 'who is signed in');
  });

  test('allow and deny are equally easy to find and to hit', async (t) => {
    const { page } = await newPerson(t, browser);
    await page.goto((await app.request()).url);
    await signIn(page);
    const box = (name) => page.getByRole('button', { name, exact: true }).boundingBox();
    const [allow, deny] = [await box('Allow'), await box('Deny')];
    assert.deepEqual([allow.width, allow.height, allow.y], [deny.width, deny.height, deny.y]);
    assert.ok(allow.height >= 44);
  });

  test('deny gives the client access_denied and no code', async (t) => {
    const { page } = await newPerson(t, browser);
    const request = await app.request();
    await page.goto(request.url);
    await signIn(page);
    const answer = await request.answer(page, () => decide(page, 'Deny'));
    assert.ok(!answer.searchParams.has('code'));
    await assert.rejects(request.redeem(answer), { error: 'access_denied' });
  });

  test('the answer goes to the client by 303, so the form is not sent on', async (t) => {
    const { page } = await newPerson(t, browser);
    const request = await app.request();
    await page.goto(request.url);
    await signIn(page);
    const [response] = await Promise.all([
      page.waitForResponse((response) => response.url().endsWith('/consent')),
      request.answer(page, () => decide(page, 'Allow')),
    ]);
    assert.equal(response.status(), 303);
  });

  test('a site is asked about once, then neither sign-in nor consent is needed, even without pages', async (t) => {
    const { context } = await answerSite(t, 'Allow');
    for (const parameters of [{}, { scope: 'openid' }, { prompt: 'none' }]) {
      const again = await siteApp.request(parameters);
      const answer = await visit(context, again);
      assert.ok((await again.redeem(answer)).access_token, JSON.stringify(parameters));
    }
  });

  test('a denied site is asked about again, and cannot go on without pages', async (t) => {
    const { context } = await answerSite(t, 'Deny');
    const silent = await siteApp.request({ prompt: 'none' });
    await assert.rejects(silent.redeem(await visit(context, silent)), { error: 'consent_required' });
    const page = await context.newPage();
    await page.goto((await siteApp.request()).url);
    await page.getByRole('button', { name: 'Allow', exact: true }).waitFor();
    assert.ok((await page.innerText('main')).includes(new URL(site.redirectUri).host));
  });

  test('an app on the device is asked about each time, but need not sign in again', async (t) => {
    const { page } = await newPerson(t, browser);
    for (const first of [true, false]) {
      const request = await app.request();
      await page.goto(request.url);
      assert.equal(await isSignInPage(page), first);
      if (first) await signIn(page);
      await request.answer(page, () => decide(page, 'Allow'));
    }
  });

  test('another account can be used instead', async (t) => {
    const { page } = await newPerson(t, browser);
    const request = await app.request();
    await page.goto(request.url);
    await signIn(page);
    await page.getByRole('button', { name: 'Use another account' }).click();
    await page.getByLabel('Password').waitFor();
    await signIn(page);
    const answer = await request.answer(page, () => decide(page, 'Allow'));
    assert.ok((await request.redeem(answer)).access_token);
  });

  test('a callback that leads on to another host of the client is reached', async (t) => {
    const home = await serve(t, (_, response) => html(response, 'You are home.'));
    const client = await appClient(t, (_, response) => {
      response.writeHead(302, { location: `http://localhost:${home}/` }).end();
    });
    const { page } = await newPerson(t, browser);
    await page.goto((await client.request()).url);
    await signIn(page);
    await decide(page, 'Allow');
    await page.getByText('You are home.').waitFor();
  });
});
