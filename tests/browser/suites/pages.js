// The pages themselves: for everyone, on every screen, and with the headers that protect them.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, suite, test } from 'node:test';
import { newPerson, resources, signIn, startBrowser } from '../support/browser.js';
import { appClient } from '../support/client.js';
import { issuer, prefix, screenshots } from '../support/settings.js';

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core'), 'utf8');

/** Every page, and how to get there from a fresh profile. */
const PAGES = {
  'sign-in': async () => {},
  wrong: (page) => signIn(page, { username: `nobody-${Date.now()}`, password: 'x' }).then(() => page.getByRole('alert').waitFor()),
  consent: (page) => signIn(page).then(() => page.getByRole('button', { name: 'Allow', exact: true }).waitFor()),
  account: (page) => PAGES.consent(page).then(() => page.goto(new URL(prefix, issuer).href)),
  notice: (page) => page.goto(new URL(`${prefix}/sign-in`, issuer).href),
};

suite('the pages', () => {
  const suiteEnd = resources();
  let browser;
  let client;
  before(async () => {
    browser = await startBrowser(suiteEnd);
    client = await appClient(suiteEnd);
    if (screenshots) await mkdir(screenshots, { recursive: true });
  });

  for (const [name, reach] of Object.entries(PAGES)) {
    for (const colorScheme of ['light', 'dark']) {
      for (const [screen, viewport] of [['desktop', { width: 1100, height: 800 }], ['phone', { width: 360, height: 740 }]]) {
        test(`${name} is accessible and fits, ${colorScheme} on a ${screen}`, async (t) => {
          const { page } = await newPerson(t, browser, { colorScheme, viewport });
          await page.goto((await client.request()).url);
          await reach(page);
          // WCAG 2.2 at level AA, contrast included, as far as a machine can tell.
          await page.evaluate(axe);
          const { violations } = await page.evaluate(() => globalThis.axe.run());
          assert.deepEqual(violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' ')}`), []);
          const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
          assert.ok(overflow <= 0, `${overflow} pixels too wide`);
          assert.equal(await page.evaluate(() => document.styleSheets[0].cssRules.length > 10), true);
          if (screenshots) await page.screenshot({ path: join(screenshots, `${name}-${colorScheme}-${screen}.png`) });
        });
      }
    }
  }

  test('pages cannot be framed, stored, sniffed or made to run a script', async (t) => {
    const { page } = await newPerson(t, browser);
    const signInPage = await page.goto((await client.request()).url);
    const isPage = (response) => response.request().isNavigationRequest() && response.status() === 200;
    const [consentPage] = await Promise.all([page.waitForResponse(isPage), signIn(page)]);
    for (const response of [signInPage, consentPage]) {
      const headers = response.headers();
      const policy = headers['content-security-policy'].split('; ');
      for (const directive of ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"]) {
        assert.ok(policy.includes(directive), directive);
      }
      assert.ok(!headers['content-security-policy'].includes('unsafe'));
      assert.equal(headers['x-frame-options'], 'DENY');
      assert.equal(headers['x-content-type-options'], 'nosniff');
      assert.match(headers['cache-control'], /no-store/);
    }
    assert.equal(await page.locator('script, style, [style]').count(), 0);
  });

  test('the stylesheet is kept by the browser', async () => {
    const response = await fetch(new URL(`${prefix}/style.css`, issuer));
    assert.equal(response.status, 200);
    assert.match(response.headers.get('cache-control'), /immutable/);
    assert.match(response.headers.get('content-type'), /^text\/css/);
  });

  test('text can be twice as large', async (t) => {
    const { page } = await newPerson(t, browser, { viewport: { width: 640, height: 800 } });
    await page.goto((await client.request()).url);
    await signIn(page);
    await page.getByRole('button', { name: 'Allow', exact: true }).waitFor();
    await page.setViewportSize({ width: 320, height: 400 });
    assert.ok((await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)) <= 0);
  });
});
