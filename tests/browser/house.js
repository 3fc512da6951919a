// The house that `cargo xtask browser` started: where its parts listen, who may log in, and the provider's controls.

import { readFileSync } from 'node:fs'

function required(name) {
  const value = process.env[name]
  if (!value) throw new Error(`${name} is not set: run these tests with \`cargo xtask browser\``)
  return value
}

/** The edge, as a browser names its origin. */
export const edge = required('EDGE_AUTH_ORIGIN')

/** The edge's listener without TLS. */
export const plain = required('EDGE_AUTH_PLAIN_ORIGIN')

/** The identity provider, without a slash at its end. */
export const provider = required('EDGE_AUTH_PROVIDER').replace(/\/$/, '')

/** Envoy's admin interface. */
export const admin = required('EDGE_AUTH_ADMIN')

/** The origin that the page of spa/ has to be served from, and its client at the provider. */
export const spa = { origin: required('EDGE_AUTH_SPA_ORIGIN'), clientId: required('EDGE_AUTH_SPA_CLIENT_ID') }

/** The certificate of the edge, in PEM. */
export const certificate = readFileSync(required('EDGE_AUTH_CERTIFICATE'))

/** The browser. */
export const chromium = required('EDGE_AUTH_CHROMIUM')

/** Ada may do everything, the reader may only read. */
export const [ada, reader] = JSON.parse(readFileSync(new URL('../auth0-sim/users.json', import.meta.url)))

async function control(method, path, body) {
  const response = await fetch(`${provider}/sim/${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    body: body && JSON.stringify(body),
  })
  if (!response.ok) throw new Error(`/sim/${path} answered ${response.status}`)
  return response
}

/** How many seconds access tokens live from now on, until the end of the test. */
export async function tokensLive(t, seconds) {
  t.after(() => control('POST', 'lifetime', { seconds: 3600 }))
  await control('POST', 'lifetime', { seconds })
}

/** The provider's token endpoint answers this late, until the end of the test. */
export async function tokensTake(t, milliseconds) {
  t.after(() => control('DELETE', 'fault'))
  await control('POST', 'fault', { path: '/oauth/token', fault: { delay_ms: milliseconds } })
}

/** How many requests the provider's token endpoint has seen. */
export async function tokenRequests() {
  const stats = await (await control('GET', 'stats')).json()
  return stats['/oauth/token']?.count ?? 0
}

/** How many times the edge was told what is revoked. */
export async function revocationPolls() {
  const name = 'cluster.api_server_internal.upstream_rq_completed'
  const { stats } = await (await fetch(`${admin}/stats?format=json&filter=^${name}$`)).json()
  return stats[0].value
}
