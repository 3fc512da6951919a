// The API whose tokens are asked for: its name, its scopes, and what its tokens look like.

import { errors } from 'oidc-provider'

export const API = 'https://api.pymd.io'

export const rolesClaim = 'https://pymd.io/roles'

/** What oidc-provider wants to know of a resource; `seconds` is how long an access token lives. */
export function resourceServer(resource, seconds) {
  if (resource !== API) throw new errors.InvalidTarget()
  return {
    audience: API,
    scope: 'read:documents write:documents delete:documents read:profile write:profile',
    accessTokenFormat: 'jwt',
    accessTokenTTL: seconds,
    jwt: { sign: { alg: 'RS256' } },
  }
}
