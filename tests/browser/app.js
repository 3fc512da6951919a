// The app under test: documents by hand, states to wait for, and the scan for obstacles.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { ada, edge } from './house.js'
import { person } from './person.js'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** Somebody who sees her documents. */
export async function signedIn(t, { user = ada, ...options } = {}) {
  const somebody = await person(t, user, options)
  await somebody.logIn({ returnTo: '/app/' })
  await synced(somebody.page)
  return somebody
}

/** Opens a place in the app and waits for what is found by `ready`. */
export async function visit(page, path, ready) {
  await page.goto(edge + path)
  await page.locator(ready).first().waitFor()
}

/** Waits until this device and the server agree. */
export async function synced(page) {
  await page.locator('.sync').filter({ hasText: /^Synced$/ }).waitFor()
}

/** Waits until the server has the open document as it is. */
export async function saved(page) {
  await page.locator('.doc-state').filter({ hasText: /^Saved$/ }).waitFor()
}

/** Waits until the open document says this. */
export async function says(page, content) {
  await page.waitForFunction((content) => document.querySelector('#content')?.value === content, content)
}

/** Changes the open document, until this device has kept it. */
export async function change(page, content) {
  await page.fill('#content', content)
  await page.locator('.doc-state').filter({ hasNotText: 'Writing' }).waitFor()
}

/** Begins a document on the list's page and gives its path. */
export async function begin(page, title, content) {
  await page.getByRole('button', { name: 'New document' }).click()
  await page.fill('#title', title)
  await change(page, content)
  return new URL(page.url()).pathname
}

/** Writes a new document and gives its path, once the server has it. */
export async function write(page, title, content) {
  const path = await begin(page, title, content)
  await saved(page)
  return path
}

/**
 * Asserts that axe finds nothing wrong with the page as it is. It runs in a world of its own, since the page's policy
 * lets no other script in.
 */
export async function assertAccessible(page, what) {
  const devtools = await page.context().newCDPSession(page)
  const { frameTree } = await devtools.send('Page.getFrameTree')
  const world = await devtools.send('Page.createIsolatedWorld', { frameId: frameTree.frame.id })
  const run = async (expression) => {
    const how = { expression, contextId: world.executionContextId, awaitPromise: true }
    const { result, exceptionDetails } = await devtools.send('Runtime.evaluate', how)
    assert.equal(exceptionDetails, undefined, `axe does not run: ${exceptionDetails?.text}`)
    return result.value
  }
  await run(axe)
  const result = 'axe.run(document).then(({ passes, violations }) => JSON.stringify({ passes: passes.length, violations }))'
  const { passes, violations } = JSON.parse(await run(result))
  await devtools.detach()
  assert.ok(passes > 10, `${what}: only ${passes} rules applied`)
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)
  assert.deepEqual(found, [], what)
}
