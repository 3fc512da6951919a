// A person at a browser: a profile of their own, the way in, and what no page of ours may ever do.

import assert from 'node:assert/strict'
import { X509Certificate, createHash } from 'node:crypto'
import { after } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { chromium } from 'playwright-core'
import * as house from './house.js'

let launched
after(async () => (await launched)?.close())

/** One Chromium for the file; every person has a context, which shares nothing with the others. */
function browser() {
  if (launched === undefined) {
    const { publicKey } = new X509Certificate(house.certificate)
    const spki = createHash('sha256').update(publicKey.export({ type: 'spki', format: 'der' })).digest('base64')
    launched = chromium.launch({
      executablePath: house.chromium,
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
        // Trusts this one key, so that HTTPS is without errors and HSTS and `Secure` are what they are anywhere.
        `--ignore-certificate-errors-spki-list=${spki}`,
      ],
    })
  }
  return launched
}

/** Somebody with a browser of their own, until the test ends. */
export async function person(t, user = house.ada, options = {}) {
  const context = await (await browser()).newContext(options)
  context.setDefaultTimeout(15_000)
  const somebody = new Person(context, user)
  t.after(() => somebody.leave(t))
  somebody.page = await somebody.open()
  return somebody
}

class Person {
  #context
  #complaints = []

  constructor(context, user) {
    this.#context = context
    this.user = user
    context.on('weberror', (error) => this.#complaints.push(String(error.error())))
    context.on('console', (message) => {
      if (/content.security.policy/i.test(message.text())) this.#complaints.push(message.text())
    })
  }

  get context() {
    return this.#context
  }

  /** Another tab. */
  open() {
    return this.#context.newPage()
  }

  /** The authorization URL of a login that begins here; its cookie is in this browser then. */
  async beginLogin(returnTo = '/healthz') {
    const query = new URLSearchParams({ return_to: returnTo })
    const url = `${house.edge}/api/v1/auth/login?${query}`
    const answer = await this.#context.request.get(url, { maxRedirects: 0 })
    assert.equal(answer.status(), 302)
    return new URL(answer.headers().location)
  }

  /** Fills in the provider's page, which `page` shows. */
  async fillIn(page = this.page) {
    await page.getByLabel('Email').fill(this.user.email)
    await page.getByLabel('Password').fill(this.user.password)
    await page.getByRole('button', { name: 'Continue' }).click()
  }

  /** Logs in by way of the provider's page, and waits until the browser is back. */
  async logIn({ returnTo = '/healthz', page = this.page } = {}) {
    await page.goto(`${house.edge}/api/v1/auth/login?${new URLSearchParams({ return_to: returnTo })}`)
    await this.fillIn(page)
    await page.waitForURL(`${house.edge}${returnTo}`)
  }

  /** What a page of the site gets from `fetch`. */
  ask(path, { page = this.page, ...init } = {}) {
    return page.evaluate(
      async ([path, init]) => {
        const response = await fetch(path, init)
        const text = await response.text()
        const body = response.headers.get('content-type')?.includes('json') ? JSON.parse(text) : text
        return { status: response.status, headers: Object.fromEntries(response.headers), body }
      },
      [path, init],
    )
  }

  /** Waits until `path` answers with this status. */
  async until(path, status) {
    const deadline = Date.now() + 15_000
    for (;;) {
      const answer = await this.ask(path)
      if (answer.status === status) return answer
      assert.ok(Date.now() < deadline, `${path} still answers ${answer.status}, not ${status}`)
      await setTimeout(100)
    }
  }

  /** The session's cookie, in as many pieces as it takes; empty without a session. */
  async sessionCookies() {
    const cookies = await this.#context.cookies(house.edge)
    return cookies.filter(({ name }) => name.startsWith('__Host-edge-session'))
  }

  /** Looks at what every page of the site left behind, and closes the browser. */
  async leave(t) {
    // Of a test that failed, they often are the reason.
    for (const complaint of this.#complaints) t.diagnostic(complaint)
    for (const page of this.#context.pages()) {
      if (!page.url().startsWith(house.edge)) continue
      await page.waitForLoadState()
      const readable = await page.evaluate(() =>
        JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]),
      )
      assert.doesNotMatch(readable, /eyJ[\w-]+\.eyJ|refresh_token|__Host-/, 'a page can read a token')
    }
    await this.#context.close()
    assert.deepEqual(this.#complaints, [])
  }
}
