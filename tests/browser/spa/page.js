// A page of another origin that holds its own tokens: Auth0's client library as it is, and the API through the edge.
// Which edge, provider and client is told in config.json.

import { createAuth0Client } from './auth0-spa-js.js'

const { edge, domain, clientId, audience } = await (await fetch('config.json')).json()

const client = await createAuth0Client({
  domain,
  clientId,
  authorizationParams: {
    audience,
    scope: 'openid profile email read:documents write:documents',
    redirect_uri: location.origin,
  },
  // In memory, in the library's worker: a script that is slipped into the page does not find the refresh token.
  useRefreshTokens: true,
  cacheLocation: 'memory',
})

const status = document.querySelector('[role=status]')
const onClick = (id, action) => document.getElementById(id).addEventListener('click', action)

/** Calls the API; gives what the page can read of the answer, error or not. */
async function call(path, init = {}, token = undefined) {
  const bearer = token ?? (await client.getTokenSilently())
  const headers = { ...init.headers, authorization: `Bearer ${bearer}` }
  const response = await fetch(edge + path, { ...init, headers })
  const { error } = await response.json().catch(() => ({}))
  return { status: response.status, error, retryAfter: response.headers.get('retry-after') }
}

onClick('log-in', () => client.loginWithRedirect())
onClick('log-out', () => client.logout({ logoutParams: { returnTo: location.origin } }))
onClick('load', async () => {
  const answer = await call('/api/v1/documents')
  status.textContent = answer.error ?? `${answer.status}`
})

if (new URLSearchParams(location.search).has('code')) {
  await client.handleRedirectCallback()
  history.replaceState({}, '', '/')
}
const user = await client.getUser()
status.textContent = user ? `Logged in as ${user.name}` : 'Logged out'

// For tests.
Object.assign(window, { client, call })
