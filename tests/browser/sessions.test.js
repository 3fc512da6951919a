// What becomes of a session: refreshed when its token expires, by two tabs at once, ended here, ended everywhere.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { edge, provider, revocationPolls, tokenRequests, tokensLive, tokensTake } from './house.js'
import { person } from './person.js'

const refresh = { method: 'POST' }

test('an expired token is refreshed and the session goes on', async (t) => {
  const ada = await person(t)
  await tokensLive(t, 3)
  await ada.logIn()
  const before = await ada.ask('/api/v1/auth/session')
  const refused = await ada.until('/api/v1/documents', 401)
  assert.equal(refused.body.error, 'invalid_token')

  await tokensLive(t, 3600)
  const after = await ada.ask('/api/v1/auth/refresh', refresh)
  assert.equal(after.status, 200)
  assert.equal(after.body.id, before.body.id)
  assert.ok(after.body.accessExpiresAt > before.body.accessExpiresAt)
  assert.equal((await ada.ask('/api/v1/documents')).status, 200)
})

test('two tabs that refresh at once are one call to the provider, and both go on', async (t) => {
  const ada = await person(t)
  await ada.logIn()
  const other = await ada.open()
  await other.goto(`${edge}/healthz`)
  // Late enough that the second has asked before the first has its answer.
  await tokensTake(t, 1500)
  const before = await tokenRequests()
  const answers = await Promise.all(
    [ada.page, other].map((page) => ada.ask('/api/v1/auth/refresh', { page, ...refresh })),
  )
  assert.deepEqual(answers.map(({ status }) => status), [200, 200])
  assert.equal(answers[0].body.accessExpiresAt, answers[1].body.accessExpiresAt)
  assert.equal((await tokenRequests()) - before, 1)
  for (const page of [ada.page, other]) {
    assert.equal((await ada.ask('/api/v1/documents', { page })).status, 200)
  }
})

test('a logout ends the session here and at the provider, and its cookie is worth nothing afterwards', async (t) => {
  const ada = await person(t)
  await ada.logIn()
  const kept = await ada.sessionCookies()
  const out = await ada.ask('/api/v1/auth/logout', { method: 'POST' })
  assert.equal(out.status, 200)
  assert.deepEqual(await ada.sessionCookies(), [])
  assert.equal((await ada.ask('/api/v1/documents')).status, 401)

  // Whoever kept a copy of the cookie.
  await ada.context.addCookies(kept)
  await ada.until('/api/v1/documents', 401)
  assert.equal((await ada.ask('/api/v1/auth/refresh', refresh)).status, 401)

  assert.ok(out.body.logoutUrl.startsWith(`${provider}/oidc/logout?`))
  await ada.page.goto(out.body.logoutUrl)
  // The app goes on from `/` by itself.
  await ada.page.waitForURL(`${edge}/**`)
  await ada.page.goto(`${edge}/api/v1/auth/login`)
  await ada.page.getByLabel('Password').waitFor()
})

test('signing out everywhere ends the session in a second browser within one poll', async (t) => {
  const [here, there] = [await person(t), await person(t)]
  await here.logIn()
  await there.logIn()
  assert.equal((await there.ask('/api/v1/documents')).status, 200)

  const before = await revocationPolls()
  const ended = await here.ask('/api/v1/auth/sessions', { method: 'DELETE' })
  assert.equal(ended.status, 204)
  const refused = await there.until('/api/v1/documents', 401)
  // The poll under way may have read the feed just before.
  const polls = (await revocationPolls()) - before
  assert.ok(polls <= 2, `${polls} polls`)
  assert.equal(refused.body.error, 'invalid_token')
  assert.equal((await there.ask('/api/v1/auth/refresh', refresh)).status, 401)
})

test('a stolen cookie that comes back after it was replaced ends the session for both, at the edge within one poll', async (t) => {
  const [ada, thief] = [await person(t), await person(t)]
  await ada.logIn()
  const stolen = await ada.sessionCookies()
  // Twice: the one before the last may still be another tab's.
  for (const time of ['once', 'twice']) {
    assert.equal((await ada.ask('/api/v1/auth/refresh', refresh)).status, 200, time)
  }
  assert.equal((await ada.ask('/api/v1/documents')).status, 200)

  await thief.page.goto(`${edge}/healthz`)
  await thief.context.addCookies(stolen)
  // Its access token has not expired: the edge has no reason yet to refuse it.
  assert.equal((await thief.ask('/api/v1/documents')).status, 200)
  const before = await revocationPolls()
  assert.equal((await thief.ask('/api/v1/auth/refresh', refresh)).status, 401)
  const refused = await ada.until('/api/v1/documents', 401)
  // The poll under way may have read the feed just before.
  const polls = (await revocationPolls()) - before
  assert.ok(polls <= 2, `${polls} polls`)
  assert.equal(refused.body.error, 'invalid_token')
  assert.equal((await ada.ask('/api/v1/auth/refresh', refresh)).status, 401)
})
