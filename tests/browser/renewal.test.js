// What the person at the app sees of a token that expires: nothing.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tokenRequests, tokensLive } from './house.js'
import { person } from './person.js'

test('an expired token is renewed unseen', async (t) => {
  const ada = await person(t)
  await tokensLive(t, 3)
  await ada.logIn({ returnTo: '/app/' })
  const before = await tokenRequests()
  const { body } = await ada.ask('/api/v1/auth/session')
  await tokensLive(t, 3600)
  await ada.page.waitForFunction((expiry) => Date.now() > Date.parse(expiry) + 1000, body.accessExpiresAt)

  await ada.page.getByRole('link', { name: 'Profile' }).click()
  await ada.page.getByText(ada.user.email).waitFor()
  assert.equal(await ada.page.getByRole('alert').count(), 0)
  assert.equal(new URL(ada.page.url()).pathname, '/app/profile')
  assert.ok((await tokenRequests()) > before, 'nothing was renewed')
})
