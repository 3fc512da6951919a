// Documents on several devices: written without a network, changed in two places, kept when a session ends.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertAccessible, change, saved, says, signedIn, visit, write } from './app.js'
import { edge } from './house.js'

test('what is written offline is kept, opens offline, and is sent later', async (t) => {
  const { page, context } = await signedIn(t)
  const path = await write(page, 'Draft', 'one')
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null)

  await context.setOffline(true)
  await change(page, 'one\ntwo, offline')
  await page.locator('sync-banner [data-kind=offline]').waitFor()
  await page.reload()
  await says(page, 'one\ntwo, offline')
  await page.getByText('Kept on this device').waitFor()

  await context.setOffline(false)
  await saved(page)
  // Another browser of the same user has it from the server.
  const other = await signedIn(t)
  await visit(other.page, path, 'document-editor')
  await says(other.page, 'one\ntwo, offline')
})

test('two browsers that change one document end in a conflict, side by side', async (t) => {
  const [one, two] = [await signedIn(t), await signedIn(t)]
  const path = await write(one.page, 'Shared', 'first line\nsecond line')
  await visit(two.page, path, 'document-editor')
  await says(two.page, 'first line\nsecond line')

  await one.context.setOffline(true)
  await change(one.page, 'first line\nchanged here')
  await change(two.page, 'first line\nchanged there')
  await saved(two.page)
  await one.context.setOffline(false)

  await one.page.getByRole('heading', { name: 'Two versions of this document' }).waitFor()
  const marked = await one.page.locator('document-conflict mark').allTextContents()
  assert.deepEqual(marked, ['changed here\n', 'changed there\n'])
  await assertAccessible(one.page, 'conflict')
  await one.page.getByRole('button', { name: 'Keep both' }).click()
  await one.page.waitForFunction(() => document.querySelector('#title')?.value === 'Shared (my copy)')
  await says(one.page, 'first line\nchanged here')
  await saved(one.page)
  await visit(one.page, path, 'document-editor')
  await says(one.page, 'first line\nchanged there')
})

test('signing out everywhere takes the second browser to sign-in, and its unsent text is kept', async (t) => {
  // Without a worker between, so that what is asked can be stopped.
  const [here, there] = [await signedIn(t), await signedIn(t, { serviceWorkers: 'block' })]
  const path = await write(there.page, 'Unsent', 'sent')
  await there.page.route('**/api/v1/sync/*', (route) => route.abort('internetdisconnected'))
  await change(there.page, 'not sent')
  await visit(here.page, '/app/sessions', '.sessions li')
  here.page.once('dialog', (dialog) => dialog.accept())
  await here.page.getByRole('button', { name: 'Sign out everywhere' }).click()
  await here.page.locator('sign-in').waitFor()

  await there.until('/api/v1/documents', 401)
  await there.page.unroute('**/api/v1/sync/*')
  await there.page.getByText('Your session has ended').waitFor()
  await there.page.getByRole('button', { name: 'Sign in' }).click()
  // The provider still knows her.
  await there.page.waitForURL(edge + path)
  await says(there.page, 'not sent')
  await saved(there.page)
})
