// Logging in: what a person goes through, and every part of it that somebody may have tampered with.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { edge, plain, provider } from './house.js'
import { person } from './person.js'

test('a login with PKCE ends in a session whose cookie no script can read', async (t) => {
  const ada = await person(t)
  const authorize = await ada.beginLogin()
  assert.equal(authorize.origin, provider)
  assert.equal(authorize.searchParams.get('code_challenge_method'), 'S256')
  assert.ok(authorize.searchParams.get('state') && authorize.searchParams.get('nonce'))

  await ada.logIn()
  const session = await ada.ask('/api/v1/auth/session')
  assert.equal(session.status, 200)
  assert.equal(session.body.subject, ada.user.user_id)
  assert.equal((await ada.ask('/api/v1/documents')).status, 200)

  const cookies = await ada.sessionCookies()
  assert.ok(cookies.length > 0)
  for (const cookie of cookies) {
    const { httpOnly, secure, sameSite, domain, path } = cookie
    const expected = { httpOnly: true, secure: true, sameSite: 'Lax', domain: 'localhost', path: '/' }
    assert.deepEqual({ httpOnly, secure, sameSite, domain, path }, expected)
  }
})

test('plain HTTP leads to HTTPS, and HTTPS says it is there to stay', async (t) => {
  const ada = await person(t)
  const answer = await ada.page.goto(`${plain}/api/v1/auth/session`)
  assert.equal(ada.page.url(), `${edge}/api/v1/auth/session`)
  assert.equal((await answer.request().redirectedFrom().response()).status(), 301)
  assert.match(answer.headers()['strict-transport-security'], /max-age=31536000/)
})

/** Logs in with one parameter of the authorization request changed on the way; gives where it ended. */
async function tamperedLogin(t, name, value) {
  const ada = await person(t)
  const authorize = await ada.beginLogin()
  assert.ok(authorize.searchParams.has(name))
  authorize.searchParams.set(name, value)
  await ada.page.goto(authorize.href)
  await ada.fillIn()
  await ada.page.waitForURL(`${edge}/**`)
  assert.equal((await ada.ask('/api/v1/auth/session')).status, 401)
  assert.deepEqual(await ada.sessionCookies(), [])
  return new URL(ada.page.url()).searchParams.get('auth_error')
}

test('a login whose state was tampered with is refused', async (t) => {
  assert.equal(await tamperedLogin(t, 'state', 'somebody-elses-state'), 'invalid_state')
})

test('a login whose nonce was tampered with is refused', async (t) => {
  assert.equal(await tamperedLogin(t, 'nonce', 'somebody-elses-nonce'), 'invalid_id_token')
})

test('a code for another PKCE challenge is worth nothing', async (t) => {
  const challenge = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'
  assert.equal(await tamperedLogin(t, 'code_challenge', challenge), 'invalid_grant')
})

test('a login that one browser began another can not finish', async (t) => {
  const mallory = await person(t)
  const ada = await person(t)
  const authorize = await mallory.beginLogin()
  // Mallory has her log in with a link of his own.
  await ada.page.goto(authorize.href)
  await ada.fillIn()
  await ada.page.waitForURL(`${edge}/**`)
  assert.equal(new URL(ada.page.url()).searchParams.get('auth_error'), 'invalid_state')
  assert.equal((await ada.ask('/api/v1/auth/session')).status, 401)
})

test('a login that is cancelled comes back and says so', async (t) => {
  const ada = await person(t)
  await ada.page.goto(`${edge}/api/v1/auth/login?return_to=/healthz`)
  await ada.page.getByRole('button', { name: 'Cancel' }).click()
  await ada.page.waitForURL(`${edge}/healthz?auth_error=access_denied`)
})
