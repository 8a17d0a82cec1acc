// Signing in and getting tokens, as a person and an unmodified client see it.

import assert from 'node:assert/strict';
import { before, suite, test } from 'node:test';
import { decide, isSignInPage, newPerson, resources, signIn, startBrowser } from '../support/browser.js';
import { appClient, html } from '../support/client.js';
import { issuer, person, prefix } from '../support/settings.js';

suite('signing in', () => {
  const suiteEnd = resources();
  let browser;
  let client;
  before(async () => {
    browser = await startBrowser(suiteEnd);
    client = await appClient(suiteEnd);
  });

  test('a person signs in and allows, and the client gets tokens and claims', async (t) => {
    const { page } = await newPerson(t, browser);
    const request = await client.request();
    await page.goto(request.url);
    await signIn(page);
    const answer = await request.answer(page, () => decide(page, 'Allow'));

    assert.equal(answer.searchParams.get('iss'), issuer);
    const tokens = await request.redeem(answer);
    const claims = tokens.claims();
    assert.equal(claims.iss, issuer);
    assert.ok(Math.abs(Date.now() / 1000 - claims.auth_time) < 120, 'auth_time is now');
    const about = await client.userInfo(tokens);
    assert.equal(about.sub, claims.sub);
    assert.equal(about.preferred_username, person.username);
  });

  test('it works without JavaScript', async (t) => {
    const { page } = await newPerson(t, browser, { javaScriptEnabled: false });
    const request = await client.request();
    await page.goto(request.url);
    await signIn(page);
    const answer = await request.answer(page, () => decide(page, 'Allow'));
    assert.ok((await request.redeem(answer)).access_token);
  });

  test('it works with the keyboard alone', async (t) => {
    const { page } = await newPerson(t, browser);
    const request = await client.request();
    await page.goto(request.url);
    await page.locator('#username:focus').waitFor();
    await page.keyboard.type(person.username);
    await page.keyboard.press('Tab');
    await page.keyboard.type(person.password);
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Allow', exact: true }).waitFor();
    const focused = () => page.evaluate(() => document.activeElement?.textContent.trim());
    const reached = [];
    for (let step = 0; step < 5 && (await focused()) !== 'Allow'; step += 1) {
      await page.keyboard.press('Tab');
      reached.push(await focused());
    }
    assert.deepEqual(reached, ['Use another account', 'Deny', 'Allow']);
    const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
    assert.equal(outline, 'solid', 'the focus can be seen');
    const answer = await request.answer(page, () => page.keyboard.press('Enter'));
    assert.ok(answer.searchParams.has('code'));
  });

  for (const [what, known] of [['a wrong password', true], ['an unknown user', false]]) {
    test(`${what} is said accessibly, and the next attempt goes on`, async (t) => {
      const { page } = await newPerson(t, browser);
      const request = await client.request();
      await page.goto(request.url);
      const username = known ? person.username : `nobody-${Date.now()}`;
      await signIn(page, { username, password: 'not this one' });

      const problem = page.getByRole('alert');
      await problem.waitFor();
      assert.match(await problem.innerText(), /do not match/);
      assert.match(await page.title(), /^Error: /);
      for (const label of ['Username', 'Password']) {
        const field = page.getByLabel(label);
        assert.equal(await field.getAttribute('aria-invalid'), 'true');
        const described = await field.evaluate((input) => document.getElementById(input.getAttribute('aria-describedby')).innerText);
        assert.equal(described.trim(), (await problem.innerText()).trim());
      }
      assert.equal(await page.getByLabel('Username').inputValue(), username);
      assert.equal(await page.getByLabel('Password').inputValue(), '');

      await signIn(page);
      await page.getByRole('button', { name: 'Allow', exact: true }).waitFor();
    });
  }

  test('guessing is stopped after ten attempts', async (t) => {
    const { page } = await newPerson(t, browser);
    const username = `guessed-${Date.now()}`;
    await page.goto((await client.request()).url);
    const statuses = [];
    for (let attempt = 0; attempt < 12; attempt += 1) {
      const [response] = await Promise.all([
        page.waitForResponse((response) => response.url().endsWith('/sign-in')),
        signIn(page, { username, password: `guess ${attempt}` }),
      ]);
      await page.getByRole('alert').waitFor();
      statuses.push(response.status());
    }
    // The window may have ended in between; then the count began anew.
    assert.ok(statuses.includes(422), statuses.join());
    assert.ok(statuses.includes(429) || Date.now() / 1000 % 900 < 60, statuses.join());
  });

  test('the session cookie is out of reach of scripts, of other sites and of plain http', async (t) => {
    const { context, page } = await newPerson(t, browser);
    await page.goto((await client.request()).url);
    await signIn(page);
    await page.getByRole('button', { name: 'Allow', exact: true }).waitFor();
    const secure = issuer.startsWith('https:');
    const cookies = await context.cookies(issuer);
    const names = cookies.map((cookie) => cookie.name).sort();
    assert.deepEqual(names, ['attesto_session', 'attesto_visit'].map((name) => (secure ? `__Host-${name}` : name)));
    for (const cookie of cookies) {
      const { httpOnly, sameSite, path, expires, domain } = cookie;
      assert.deepEqual(
        { httpOnly, sameSite, path, expires, domain, secure: cookie.secure },
        { httpOnly: true, sameSite: 'Lax', path: '/', expires: -1, domain: new URL(issuer).hostname, secure },
      );
    }
    assert.equal(await page.evaluate(() => document.cookie), '');
  });

  test('each sign-in gets a new session, and the old one is over', async (t) => {
    const { context, page } = await newPerson(t, browser);
    const session = async () => (await context.cookies(issuer)).find((cookie) => cookie.name.endsWith('attesto_session'));
    await page.goto((await client.request()).url);
    await signIn(page);
    await page.getByRole('button', { name: 'Allow', exact: true }).waitFor();
    const first = await session();
    await page.goto((await client.request({ prompt: 'login' })).url);
    await signIn(page);
    await page.getByRole('button', { name: 'Allow', exact: true }).waitFor();
    assert.notEqual((await session()).value, first.value);

    const thief = await newPerson(t, browser);
    await thief.context.addCookies([first]);
    await thief.page.goto((await client.request()).url);
    assert.ok(await isSignInPage(thief.page));
  });

  test('signing out ends the session', async (t) => {
    const { page } = await newPerson(t, browser);
    await page.goto((await client.request()).url);
    await signIn(page);
    await page.getByRole('button', { name: 'Allow', exact: true }).waitFor();
    await page.goto(new URL(prefix, issuer).href);
    await page.getByRole('heading', { name: 'You are signed in' }).waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'You are not signed in' }).waitFor();
    await page.goto((await client.request()).url);
    assert.ok(await isSignInPage(page));
  });

  test('a client that signs people in in a popup hears back from it', async (t) => {
    let popupClient;
    popupClient = await appClient(t, (request, response) => {
      const script = request.url.startsWith('/callback')
        ? 'opener.postMessage(location.href, location.origin); close()'
        : "addEventListener('message', (event) => { document.body.textContent = event.data })";
      response.writeHead(200, { 'content-type': 'text/html' });
      response.end(`<!doctype html><title>client</title><body><script>${script}</script>`);
    });
    const { page } = await newPerson(t, browser);
    const request = await popupClient.request();
    await page.goto(new URL('/', popupClient.redirectUri).href);
    const [popup] = await Promise.all([
      page.waitForEvent('popup'),
      page.evaluate((url) => void open(url, 'popup', 'width=480,height=640'), request.url),
    ]);
    await signIn(popup);
    await decide(popup, 'Allow');
    await page.getByText(popupClient.redirectUri).waitFor();
    const answer = new URL(await page.innerText('body'));
    assert.ok((await request.redeem(answer)).access_token);
  });

  for (const [how, javaScriptEnabled] of [['by itself', true], ['by a button where no script runs', false]]) {
    test(`an answer that is to be posted arrives at the client, ${how}`, async (t) => {
      const posts = [];
      const formClient = await appClient(t, async (request, response) => {
        const body = (await request.setEncoding('utf8').toArray()).join('');
        if (request.method === 'POST') posts.push({ url: request.url, headers: request.headers, body });
        html(response, 'Welcome back.');
      });
      const { page } = await newPerson(t, browser, { javaScriptEnabled });
      const request = await formClient.request({ response_mode: 'form_post' });
      await page.goto(request.url);
      await signIn(page);
      await decide(page, 'Allow');
      if (!javaScriptEnabled) await page.getByRole('button', { name: 'Continue' }).click();
      await page.getByText('Welcome back.').waitFor();
      const [{ url, headers, body }, ...others] = posts;
      assert.deepEqual([url, others], [new URL(request.redirectUri).pathname, []]);
      assert.equal(headers.origin, new URL(issuer).origin);
      const type = { 'content-type': headers['content-type'] };
      const posted = new Request(request.redirectUri, { method: 'POST', headers: type, body });
      assert.ok((await request.redeem(posted)).access_token);
    });
  }
});
