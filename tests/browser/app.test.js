// The app as a person meets it.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { signedIn, synced, visit, write } from './app.js'
import { edge } from './house.js'
import { person } from './person.js'

test('a deep link leads to sign-in and back', async (t) => {
  const somebody = await person(t)
  const { page } = somebody
  await visit(page, '/app/profile', 'sign-in')
  assert.equal(new URL(page.url()).searchParams.get('return_to'), '/app/profile')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await somebody.fillIn()
  await page.locator('user-profile form').waitFor()
  assert.equal(page.url(), `${edge}/app/profile`)
})

test('a document is written, found, and shown without what could do harm', async (t) => {
  const { page } = await signedIn(t)
  const markdown = [
    '# Plan',
    '**bold** [link](javascript:alert(1)) ![p](http://127.0.0.1/x.png)',
    '<img src=x onerror="document.title=\'hacked\'"><style>p{}</style>',
    '- [x] done',
  ].join('\n\n')
  const path = await write(page, 'Trip to Lisbon', markdown)
  await page.locator('.preview h2').waitFor()
  assert.equal(await page.textContent('.preview strong'), 'bold')
  const harmful = '.preview [href^=javascript], .preview [src^="http:"], .preview [onerror], .preview style'
  assert.equal(await page.locator(harmful).count(), 0)
  assert.match(await page.textContent('.preview'), /<img src=x onerror/)
  assert.equal(await page.title(), 'Trip to Lisbon – PyMD')

  await page.getByRole('link', { name: '← Documents' }).click()
  await page.getByLabel('Search documents').fill('lisb')
  await page.getByText('1 found').waitFor()
  assert.equal(await page.getAttribute('.documents a', 'href'), path)
  await page.getByLabel('Search documents').fill('nowhere')
  await page.getByText('Nothing matches').waitFor()
})

test('nothing of the session or of a token is where script can read it', async (t) => {
  const { page } = await signedIn(t)
  await write(page, 'Secrets', 'none')
  const readable = await page.evaluate(async () => {
    const done = (request) => new Promise((resolve) => (request.onsuccess = () => resolve(request.result)))
    const database = await done(indexedDB.open('pymd'))
    const kept = []
    for (const name of database.objectStoreNames) {
      kept.push(...(await done(database.transaction(name).objectStore(name).getAll())))
    }
    const cached = await (await caches.open('app')).keys()
    const storage = [{ ...localStorage }, { ...sessionStorage }, document.cookie]
    return { storage, kept: JSON.stringify(kept), cached: cached.map(({ url }) => new URL(url).pathname) }
  })
  assert.deepEqual(readable.storage, [{}, {}, ''])
  assert.match(readable.kept, /Secrets/)
  // Every token begins with the base64url of `{"`.
  assert.doesNotMatch(readable.kept, /eyJ/)
  assert.deepEqual(readable.cached.filter((path) => path.startsWith('/api/')), [])
})

test('the profile is changed, and signing out leaves nothing behind', async (t) => {
  const { page } = await signedIn(t)
  await write(page, 'Left behind', 'nothing')
  await visit(page, '/app/profile', 'user-profile form')
  await page.getByLabel('Name').fill('Ada, Countess of Lovelace')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.locator('user-profile .notice').filter({ hasText: /Saved/ }).waitFor()
  await page.reload()
  await page.locator('user-profile form').waitFor()
  assert.equal(await page.inputValue('#name'), 'Ada, Countess of Lovelace')

  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.locator('sign-in').waitFor()
  const left = await page.evaluate(async () => {
    const done = (request) => new Promise((resolve) => (request.onsuccess = () => resolve(request.result)))
    const database = await done(indexedDB.open('pymd'))
    return done(database.transaction('documents').objectStore('documents').count())
  })
  assert.equal(left, 0)
})

test('the whole app comes through Envoy in less than 100 KB', async (t) => {
  const { page, context } = await signedIn(t, { serviceWorkers: 'block' })
  const path = await write(page, 'Light', '# Light')
  const devtools = await context.newCDPSession(page)
  await devtools.send('Network.enable')
  await devtools.send('Network.clearBrowserCache')
  let bytes = 0
  devtools.on('Network.loadingFinished', ({ encodedDataLength }) => (bytes += encodedDataLength))
  await visit(page, path, '.preview h2')
  await synced(page)
  // The editor loads all there is. Counted as it arrives: headers, and the API's answers too.
  t.diagnostic(`${bytes} bytes`)
  assert.ok(bytes > 20_000 && bytes < 100_000, `${bytes} bytes`)
})
