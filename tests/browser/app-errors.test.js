// Every error is a state that says what it is, what is missing, and when it goes on.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertAccessible, begin, change, saved, says, signedIn, visit, write } from './app.js'
import { ada, edge, reader, tokenRequests, tokensLive } from './house.js'
import { person } from './person.js'

/** Her requests to the API may be answered by a test: no worker stands between. */
const answerable = { serviceWorkers: 'block' }

const json = (status, headers, body) => ({
  status,
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(body),
})

/** Opens the profile while it is answered with this; gives the page and what it says. */
async function profileAnswered(t, answer) {
  const { page } = await signedIn(t, answerable)
  await page.route('**/api/v1/profile', (route) => (answer ? route.fulfill(answer) : route.abort('internetdisconnected')))
  await visit(page, '/app/profile', 'main .state')
  await assertAccessible(page, JSON.stringify(answer))
  return { page, text: await page.innerText('main .state') }
}

test('an expired session is renewed without anybody seeing it', async (t) => {
  await tokensLive(t, 2)
  const somebody = await signedIn(t, answerable)
  const { page } = somebody
  const path = await write(page, 'Long session', 'one')
  const before = await tokenRequests()
  for (const text of ['two', 'three', 'four']) {
    await change(page, text)
    await saved(page)
    await somebody.until('/api/v1/documents', 401)
  }
  assert.ok((await tokenRequests()) > before)
  assert.equal(new URL(page.url()).pathname, path)
})

test('who may only read is told which permission is missing, and keeps what was written', async (t) => {
  const { page } = await signedIn(t, { user: reader, ...answerable })
  const path = await begin(page, 'Not allowed', 'kept all the same')
  await page.locator('sync-banner [data-kind=forbidden]').waitFor()
  assert.match(await page.innerText('sync-banner'), /lacks the permission write:documents/)
  await assertAccessible(page, 'banner')
  await visit(page, path, 'document-editor')
  await says(page, 'kept all the same')
})

test('403 names the permission that is missing', async (t) => {
  const challenge = 'Bearer realm="pymd", error="insufficient_scope", scope="read:profile"'
  const answer = json(403, { 'www-authenticate': challenge }, { error: 'insufficient_scope' })
  const { page, text } = await profileAnswered(t, answer)
  assert.match(text, /Not allowed[^]*read:profile/)
  assert.equal(await page.locator('main .state button').count(), 0)
})

test('429 says when it is tried again', async (t) => {
  const { text } = await profileAnswered(t, json(429, { 'retry-after': '3600' }, { error: 'rate_limited' }))
  assert.match(text, /Too many requests[^]*Trying again in 3[56]\d\d s/)
})

test('503 is tried again by itself', async (t) => {
  const { page, text } = await profileAnswered(t, json(503, { 'retry-after': '1' }, { error: 'temporarily_unavailable' }))
  assert.match(text, /The service is busy[^]*Trying again/)
  await page.unroute('**/api/v1/profile')
  await page.locator('user-profile form').waitFor()
})

test('offline says so, and goes on when asked', async (t) => {
  const { page, text } = await profileAnswered(t)
  assert.match(text, /You’re offline/)
  await page.unroute('**/api/v1/profile')
  await page.getByRole('button', { name: 'Try again now' }).click()
  await page.locator('user-profile form').waitFor()
})

test('500 is told without a raw error', async (t) => {
  const problem = { type: 'urn:x', title: 'The server failed', status: 500, code: 'internal_error' }
  const { text } = await profileAnswered(t, json(500, {}, problem))
  assert.match(text, /That didn’t work/)
  assert.doesNotMatch(text, /[{}]|undefined|Error:/)
})

test('a banner says why documents are not sent, and nothing is lost meanwhile', async (t) => {
  const { page } = await signedIn(t, answerable)
  await write(page, 'Kept', 'one')
  await page.route('**/api/v1/sync/push', (route) => route.fulfill(json(503, { 'retry-after': '1' }, {})))
  await change(page, 'two')
  await page.locator('sync-banner [data-kind=unavailable]').waitFor()
  assert.match(await page.innerText('sync-banner'), /Nothing is lost/)
  await page.reload()
  await says(page, 'two')
  await page.unroute('**/api/v1/sync/push')
  await saved(page)
  await says(page, 'two')
})

test('a sign-in that can not begin, or did not succeed, says why', async (t) => {
  const { page } = await person(t, ada, answerable)
  await visit(page, '/app/', 'sign-in')
  const busy = json(503, { 'retry-after': '1' }, { error: 'temporarily_unavailable' })
  await page.route('**/api/v1/auth/login*', (route) => route.fulfill(busy))
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.locator('sign-in [data-kind=unavailable]').waitFor()
  await page.goto(`${edge}/app/?auth_error=access_denied`)
  await page.getByText('Sign-in was cancelled').waitFor()
  await assertAccessible(page, 'sign-in with an error')
})

test('a browser that keeps nothing for the app is told so', async (t) => {
  const somebody = await person(t, ada, answerable)
  await somebody.logIn()
  const page = await somebody.open()
  await page.addInitScript(() => {
    IDBFactory.prototype.open = () => {
      throw new DOMException('refused', 'SecurityError')
    }
  })
  await page.goto(`${edge}/app/`)
  await page.getByText('It needs storage on this device').waitFor()
})

test('a part of the app that does not come is told, and tried again', async (t) => {
  const somebody = await person(t, ada, answerable)
  const { page } = somebody
  await page.route('**/app/sync.js', (route) => route.fulfill(json(503, {}, {})))
  await page.goto(`${edge}/app/`)
  await page.getByText('PyMD could not be loaded').waitFor()
  await assertAccessible(page, 'not loaded')
  await page.unroute('**/app/sync.js')
  await page.getByRole('link', { name: 'Try again' }).click()
  await page.locator('sign-in').waitFor()
})
