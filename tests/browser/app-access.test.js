// Every view without obstacles: for screen readers and keyboards, in light and dark, on a desk and a phone.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertAccessible, signedIn, synced, visit, write } from './app.js'
import { ada } from './house.js'
import { person } from './person.js'

const DESK = { colorScheme: 'light', viewport: { width: 1280, height: 800 } }
const PHONE = { colorScheme: 'dark', viewport: { width: 390, height: 844 } }

/** Walks through the views with this look. */
async function scan(t, look) {
  const guest = await person(t, ada, look)
  await visit(guest.page, '/app/', 'sign-in')
  await assertAccessible(guest.page, 'sign-in')

  const { page } = await signedIn(t, look)
  const markdown = '# One\n\n## Two\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n- [ ] todo\n\n[link](https://example.com)'
  await write(page, 'Accessible', markdown)
  await page.locator('.preview h2').first().waitFor({ state: 'attached' })
  await assertAccessible(page, 'editor')
  const views = [
    ['/app/', '.documents li'],
    ['/app/profile', 'user-profile form'],
    ['/app/sessions', '.sessions li'],
    ['/app/nowhere', '.state'],
  ]
  for (const [path, ready] of views) {
    await visit(page, path, ready)
    await synced(page)
    await assertAccessible(page, path)
    const [content, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth])
    assert.ok(content <= window, `${path}: ${content} px in ${window}`)
  }
}

test('no view has an obstacle, in light, on a desk', (t) => scan(t, DESK))

test('no view has an obstacle, in dark, on a phone', (t) => scan(t, PHONE))

test('a document is written and found with the keyboard alone', async (t) => {
  const { page } = await signedIn(t)
  await page.reload()
  await synced(page)
  // The first stop leads past the header.
  await page.keyboard.press('Tab')
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Skip to content')
  await page.keyboard.press('Enter')
  await page.keyboard.press('Tab')
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'New document')
  await page.keyboard.press('Enter')
  await page.locator('document-editor').waitFor()
  await page.locator('#title').focus()
  await page.keyboard.type('By keyboard')
  await page.keyboard.press('Tab')
  await page.keyboard.press('Tab')
  await page.keyboard.type('bold')
  await page.keyboard.press('ControlOrMeta+a')
  await page.keyboard.press('ControlOrMeta+b')
  assert.equal(await page.inputValue('#content'), '**bold**')
  await page.locator('.preview strong').waitFor()
})
