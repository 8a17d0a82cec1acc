// OIDC Core §3.1.2.1: what a client may demand of the sign-in.

import assert from 'node:assert/strict';
import { before, suite, test } from 'node:test';
import { decide, isSignInPage, newPerson, resources, signIn, startBrowser } from '../support/browser.js';
import { appClient } from '../support/client.js';
import { issuer } from '../support/settings.js';

suite('demands on the sign-in', () => {
  const suiteEnd = resources();
  let browser;
  let client;
  before(async () => {
    browser = await startBrowser(suiteEnd);
    client = await appClient(suiteEnd);
  });

  /** Signs in and allows, once. */
  async function signedIn(t) {
    const { page } = await newPerson(t, browser);
    const request = await client.request();
    await page.goto(request.url);
    await signIn(page);
    const answer = await request.answer(page, () => decide(page, 'Allow'));
    return { page, authTime: (await request.redeem(answer)).claims().auth_time };
  }

  test('prompt=none with nobody signed in is login_required', async (t) => {
    const { page } = await newPerson(t, browser);
    const request = await client.request({ prompt: 'none' });
    const answer = await request.answer(page, () => page.goto(request.url));
    assert.equal(answer.searchParams.get('iss'), issuer);
    await assert.rejects(request.redeem(answer), { error: 'login_required' });
  });

  test('prompt=none where the person would have to be asked is consent_required', async (t) => {
    const { page } = await signedIn(t);
    const request = await client.request({ prompt: 'none' });
    const answer = await request.answer(page, () => page.goto(request.url));
    await assert.rejects(request.redeem(answer), { error: 'consent_required' });
  });

  for (const [what, parameters] of [['prompt=login', { prompt: 'login' }], ['max_age=0', { max_age: '0' }]]) {
    test(`${what} asks somebody signed in for the password again, once`, async (t) => {
      const { page, authTime } = await signedIn(t);
      await new Promise((resolve) => setTimeout(resolve, 1100));
      const request = await client.request(parameters);
      await page.goto(request.url);
      assert.ok(await isSignInPage(page));
      await signIn(page);
      const answer = await request.answer(page, () => decide(page, 'Allow'));
      // The client's own max_age check has no part in this: a person needs time to read.
      delete request.checks.maxAge;
      assert.ok((await request.redeem(answer)).claims().auth_time > authTime);
    });
  }

  test('a max_age that the sign-in meets does not ask again', async (t) => {
    const { page, authTime } = await signedIn(t);
    const request = await client.request({ max_age: '3600' });
    await page.goto(request.url);
    assert.ok(!(await isSignInPage(page)));
    const answer = await request.answer(page, () => decide(page, 'Allow'));
    assert.equal((await request.redeem(answer)).claims().auth_time, authTime);
  });

  test('login_hint fills in the username', async (t) => {
    const { page } = await newPerson(t, browser);
    await page.goto((await client.request({ login_hint: 'bob@example.com' })).url);
    assert.equal(await page.getByLabel('Username').inputValue(), 'bob@example.com');
    assert.equal(await page.evaluate(() => document.activeElement.id), 'password');
  });
});
