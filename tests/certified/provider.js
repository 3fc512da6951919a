// An OpenID provider nobody here wrote, under Auth0's route names: the certified `oidc-provider`, told of the API, the
// users of the simulated Auth0 and the clients of the command line. It has the same controls as the simulation.
//
//   node provider.js --listen 127.0.0.1:8480 --issuer http://127.0.0.1:8480/ --client '{"client_id": …}' …

import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { parseArgs } from 'node:util'
import Provider from 'oidc-provider'
import { API, resourceServer, rolesClaim } from './api.js'
import { controls, lifetime } from './controls.js'
import { interactions } from './interactions.js'

const { values } = parseArgs({
  options: {
    listen: { type: 'string' },
    issuer: { type: 'string' },
    client: { type: 'string', multiple: true, default: [] },
  },
})
const users = JSON.parse(readFileSync(new URL('../auth0-sim/users.json', import.meta.url)))
const clients = values.client.map((client) => JSON.parse(client))
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const key = { ...privateKey.export({ format: 'jwk' }), alg: 'RS256', use: 'sig', kid: 'certified-1' }

const user = (id) => users.find((user) => user.user_id === id)

const provider = new Provider(values.issuer, {
  // Auth0's own words to oidc-provider's.
  clients: clients.map((client) => ({
    client_id: client.client_id,
    client_secret: client.client_secret,
    token_endpoint_auth_method: client.client_secret ? 'client_secret_post' : 'none',
    grant_types: ['authorization_code', 'refresh_token'],
    redirect_uris: client.callbacks,
    post_logout_redirect_uris: client.allowed_logout_urls,
    application_type: 'web',
  })),
  clientBasedCORS: (_ctx, origin, { clientId }) =>
    clients.some((client) => client.client_id === clientId && client.web_origins?.includes(origin)),
  jwks: { keys: [key] },
  cookies: { keys: [randomBytes(32).toString('hex')] },
  routes: {
    authorization: '/authorize',
    token: '/oauth/token',
    userinfo: '/userinfo',
    jwks: '/.well-known/jwks.json',
    end_session: '/oidc/logout',
    revocation: '/oauth/revoke',
  },
  pkce: { required: () => true },
  scopes: ['openid', 'offline_access'],
  claims: {
    openid: ['sub'],
    profile: ['name', 'nickname'],
    email: ['email', 'email_verified'],
  },
  // The ID token has the claims of its scopes, as at Auth0.
  conformIdTokenClaims: false,
  findAccount: (_ctx, id) => {
    const { email, name } = user(id)
    const nickname = email.split('@')[0]
    return { accountId: id, claims: () => ({ sub: id, email, email_verified: true, name, nickname }) }
  },
  features: {
    devInteractions: { enabled: false },
    revocation: { enabled: true },
    rpInitiatedLogout: {
      enabled: true,
      // Auth0 does not ask again.
      logoutSource: (ctx, form) => {
        ctx.body = `<!doctype html><title>Logging out</title>${form}<script>
          const form = document.forms[0]
          form.append(Object.assign(document.createElement('input'), { type: 'hidden', name: 'logout', value: 'yes' }))
          form.submit()</script>`
      },
    },
    resourceIndicators: {
      enabled: true,
      // A token request names no API, as at Auth0: it is the one of the login.
      useGrantedResource: () => true,
      getResourceServerInfo: (_ctx, resource) => resourceServer(resource, lifetime()),
    },
  },
  extraTokenClaims: (_ctx, token) => ({ [rolesClaim]: user(token.accountId)?.roles }),
  // Auth0's `audience` becomes the resource indicator (RFC 8707) before anything reads it.
  extraParams: ['audience'],
  // Who is logged in has agreed to what their permissions allow; there is no page for that.
  loadExistingGrant: async (ctx) => {
    const { client, session } = ctx.oidc
    const grant = new provider.Grant({ accountId: session.accountId, clientId: client.clientId })
    const { permissions } = user(session.accountId)
    grant.addOIDCScope('openid profile email offline_access')
    grant.addResourceScope(API, permissions.join(' '))
    const refused = resourceServer(API).scope.split(' ').filter((scope) => !permissions.includes(scope))
    if (refused.length > 0) grant.rejectResourceScope(API, refused.join(' '))
    await grant.save()
    return grant
  },
  // `offline_access` counts without `prompt=consent`, and outlives the provider's own session.
  issueRefreshToken: (ctx, client) =>
    client.grantTypeAllowed('refresh_token') && ctx.oidc.entities.AuthorizationCode !== undefined,
  expiresWithSession: () => false,
  rotateRefreshToken: () => true,
  ttl: { Session: 12 * 3600, Grant: 12 * 3600, RefreshToken: 12 * 3600, Interaction: 600, IdToken: 3600 },
  interactions: { url: (_ctx, interaction) => `/u/login/${interaction.uid}` },
})

provider.use(async (ctx, next) => {
  if (ctx.path === '/authorize' && ctx.query.audience) {
    ctx.query = { ...ctx.query, resource: ctx.query.audience }
  }
  if (ctx.path === '/v2/logout') {
    ctx.path = '/oidc/logout'
    const { client_id, returnTo } = ctx.query
    ctx.query = { client_id, ...(returnTo && { post_logout_redirect_uri: returnTo }) }
  }
  return next()
})

const handlers = [controls(), interactions(provider, users)]
const [host, port] = values.listen.split(':')
createServer(async (request, response) => {
  for (const handle of handlers) {
    if (await handle(request, response)) return
  }
  provider.callback()(request, response)
}).listen(Number(port), host, () => console.log(`certified ready on http://${values.listen}`))
