// Auth0's own client library, unmodified, on a page of another origin: it logs in, rotates refresh tokens, calls the
// API with CORS, and can read every refusal.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { after, before, test } from 'node:test'
import { ada, edge, provider, reader, spa, tokenRequests } from './house.js'
import { person } from './person.js'

const file = (path) => readFileSync(new URL(path, import.meta.url))
const files = {
  '/': ['text/html', file('spa/index.html')],
  '/page.js': ['text/javascript', file('spa/page.js')],
  '/auth0-spa-js.js': [
    'text/javascript',
    file('node_modules/@auth0/auth0-spa-js/dist/auth0-spa-js.production.esm.js'),
  ],
  '/config.json': [
    'application/json',
    JSON.stringify({ edge, domain: provider, clientId: spa.clientId, audience: 'https://api.pymd.io' }),
  ],
}
const server = createServer((request, response) => {
  const [type, content] = files[new URL(request.url, spa.origin).pathname] ?? []
  response.writeHead(type ? 200 : 404, { 'content-type': type ?? 'text/plain' }).end(content)
})
before(async () => {
  const { hostname, port } = new URL(spa.origin)
  await new Promise((listening) => server.listen(Number(port), hostname, listening))
})
after(() => server.close())

/** Somebody who logged in at the page. */
async function visitor(t, user = ada) {
  const somebody = await person(t, user)
  await somebody.page.goto(spa.origin)
  await somebody.page.getByText('Logged out').waitFor()
  await somebody.page.getByRole('button', { name: 'Log in' }).click()
  await somebody.fillIn()
  await somebody.page.getByText(`Logged in as ${user.name}`).waitFor()
  return somebody
}

test('auth0-spa-js logs in, and its page calls the API from another origin', async (t) => {
  const { page } = await visitor(t)
  assert.notEqual(new URL(page.url()).origin, edge)
  await page.getByRole('button', { name: 'Load documents' }).click()
  await page.getByText('200').waitFor()
})

test('getTokenSilently rotates refresh tokens without a page of the provider', async (t) => {
  const { page } = await visitor(t)
  const before = await tokenRequests()
  const tokens = await page.evaluate(async () => {
    const tokens = []
    for (let at = 0; at < 3; at += 1) tokens.push(await client.getTokenSilently({ cacheMode: 'off' }))
    return tokens
  })
  assert.equal(new Set(tokens).size, 3)
  assert.equal((await tokenRequests()) - before, 3)
  assert.equal((await page.evaluate(() => call('/api/v1/documents'))).status, 200)
})

test('the page can read status and error of a 401, a 403 and a 429', async (t) => {
  const { page } = await visitor(t, reader)
  const unauthorized = await page.evaluate(() => call('/api/v1/documents', {}, 'no-token'))
  assert.equal(unauthorized.status, 401)
  assert.equal(unauthorized.error, 'invalid_token')

  const forbidden = await page.evaluate(() =>
    call('/api/v1/documents', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"title": "Not mine to write", "content": ""}',
    }),
  )
  assert.equal(forbidden.status, 403)
  assert.equal(forbidden.error, 'insufficient_scope')

  // Once an hour; the third is refused even where an hour ends in between.
  const answers = await page.evaluate(async () => {
    const answers = []
    for (let at = 0; at < 3; at += 1) answers.push(await call('/api/v1/limited'))
    return answers
  })
  const limited = answers[2]
  assert.equal(limited.status, 429)
  assert.ok(limited.error)
  assert.ok(Number(limited.retryAfter) > 0)
})

test('a logout of the page ends the session at the provider', async (t) => {
  const { page } = await visitor(t)
  await page.getByRole('button', { name: 'Log out' }).click()
  await page.getByText('Logged out').waitFor()
  await page.getByRole('button', { name: 'Log in' }).click()
  await page.getByLabel('Password').waitFor()
})
