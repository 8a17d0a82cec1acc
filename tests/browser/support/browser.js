// Headless Chromium that reaches loopback addresses only, and people who use it.

import assert from 'node:assert/strict';
import { after } from 'node:test';
import { chromium } from 'playwright-core';
import * as settings from './settings.js';

const ARGUMENTS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // Nothing else is looked up, so no test can leave this machine.
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost',
];

/** How long a page may take, in milliseconds: machines that run tests are often busy. */
const PATIENCE = 20_000;

/** What a suite has to give back: like a test's context, but for the suite in whose body this is called. */
export function resources() {
  const actions = [];
  after(async () => {
    for (const action of actions.reverse()) await action();
  });
  return { after: (action) => actions.push(action) };
}

/** Starts a browser that ends with the suite. */
export async function startBrowser(t) {
  const browser = await chromium.launch({ executablePath: settings.chromium, args: ARGUMENTS });
  t.after(() => browser.close());
  return browser;
}

/**
 * A person's browser profile, new and empty, with one page. Whatever happens in it, no page may break its own Content Security Policy
 * and no script may fail: that is asserted when the test ends.
 */
export async function newPerson(t, browser, options = {}) {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(PATIENCE);
  const complaints = [];
  const listen = (page) => {
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('console', (message) => {
      if (/content security policy/i.test(message.text())) complaints.push(message.text());
    });
  };
  context.on('page', listen);
  const page = await context.newPage();
  t.after(async () => {
    await context.close();
    assert.deepEqual(complaints, []);
  });
  return { context, page };
}

/** Fills in the sign-in page and sends it. */
export async function signIn(page, { username, password } = settings.person) {
  await page.getByLabel('Username').fill(username);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

/** Presses "Allow" or "Deny" on the consent page. */
export async function decide(page, decision) {
  await page.getByRole('button', { name: decision, exact: true }).click();
}

/** Whether the page is the one that asks for a password. */
export async function isSignInPage(page) {
  await page.waitForLoadState();
  return page.getByLabel('Password').isVisible();
}
