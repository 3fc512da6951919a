// The login page: the simulated Auth0's own, so that one test fills in both.

import { readFileSync } from 'node:fs'
import { body } from './controls.js'

const html = readFileSync(new URL('../auth0-sim/src/routes/login/page.html', import.meta.url), 'utf8')

/** Shows the page, and finishes the interaction with what was typed. */
export function interactions(provider, users) {
  return async (request, response) => {
    if (!request.url.startsWith('/u/login/')) return false
    try {
      await interact(provider, users, request, response)
    } catch {
      // A cookie that is gone, or a login that was finished in another tab.
      response.writeHead(400).end('This login is over; begin again at the application')
    }
    return true
  }
}

async function interact(provider, users, request, response) {
  const { params } = await provider.interactionDetails(request, response)
  if (request.method !== 'POST') return page(response, 200, params.login_hint ?? '', '')
  const form = new URLSearchParams(await body(request))
  const finish = (result) => provider.interactionFinished(request, response, result)
  if (form.get('action') === 'cancel') {
    return finish({ error: 'access_denied', error_description: 'The user did not log in' })
  }
  const [email, password] = [form.get('username'), form.get('password')]
  const user = users.find((user) => user.email === email && user.password === password)
  if (user === undefined) return page(response, 400, email ?? '', 'Wrong email or password')
  return finish({ login: { accountId: user.user_id } })
}

function page(response, status, username, error) {
  const filled = html
    .replace('{{username}}', escaped(username))
    .replace('{{error}}', escaped(error))
  response.writeHead(status, {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
  })
  response.end(filled)
}

const escaped = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
