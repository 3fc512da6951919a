/**
 * The post-login Action: puts roles and metadata into tokens, and tells api-server of the user.
 *
 * Auth0 runs it at every login and every exchange of a refresh token (trigger post-login, version 3); tokens of machines
 * (client credentials) never come here. Nothing in it can refuse or hold up a login: api-server gets two seconds, what goes
 * wrong is logged as one bounded word and otherwise let go. It is told again at the next login, and asks by itself for a
 * user it was never told of.
 *
 * Where to send and what to prove it with come from the Action's secrets only, never from the event of a login.
 */
'use strict';

/** Claims of our own start with this (RFC 7519 §4.3); api-server reads the roles under `API_ROLES_CLAIM`. */
const NAMESPACE = 'https://pymd.io/';

/** What api-server reads of roles, at most: so many, of so many characters each. */
const MAX_ROLES = 64;
const MAX_ROLE_CHARACTERS = 128;

/**
 * Members of `app_metadata` that become claims. `user_metadata` never does: users can write it, and a rule at the edge could
 * take it for something that was granted.
 */
const METADATA_CLAIMS = ['plan', 'suspended', 'tenant'];
const MAX_METADATA_CHARACTERS = 256;

/** Attributes that api-server keeps, with the most characters it takes of each. */
const PROFILE = { email: 320, name: 1024, picture: 1024 };
const MAX_USER_ID_CHARACTERS = 255;

/** Milliseconds from the call to the answer, at most. Auth0 gives an Action 20 s, a user less. */
const TIMEOUT_MS = 2000;

/**
 * @param event what Auth0 knows of the login
 * @param api what can be changed about it
 */
exports.onExecutePostLogin = async (event, api) => {
  if (!event.user) return;
  for (const [name, value] of Object.entries(claims(event))) {
    api.accessToken.setCustomClaim(name, value);
    api.idToken.setCustomClaim(name, value);
  }
  // A refresh is no login: nobody signed in, and nobody should wait.
  if (event.transaction?.protocol === 'oauth2-refresh-token') return;
  const outcome = await syncUser(event.user, event.secrets ?? {});
  if (outcome !== 'ok') console.log(`sync-user: ${outcome}`);
};

/** Roles always, if only as an empty list, so that a role taken away leaves the next token; metadata where there is some. */
function claims(event) {
  const roles = event.authorization?.roles;
  const found = { [`${NAMESPACE}roles`]: (Array.isArray(roles) ? roles : []).filter(isRole).slice(0, MAX_ROLES) };
  const metadata = event.user.app_metadata ?? {};
  for (const name of METADATA_CLAIMS) {
    if (Object.hasOwn(metadata, name) && isClaimValue(metadata[name])) found[NAMESPACE + name] = metadata[name];
  }
  return found;
}

function isRole(role) {
  return isText(role, MAX_ROLE_CHARACTERS) && role !== '';
}

/** One plain value: a token travels with every request, and has no room for what grows. */
function isClaimValue(value) {
  return typeof value === 'boolean' || Number.isFinite(value) || isText(value, MAX_METADATA_CHARACTERS);
}

/** At most so many characters, none of them a control character: what api-server would refuse is not sent. */
function isText(value, most) {
  return typeof value === 'string' && [...value].length <= most && !/\p{Cc}/u.test(value);
}

/** What became of telling api-server: `ok`, or a word for the log that holds nothing of the user, the secret or the answer. */
async function syncUser(user, secrets) {
  const endpoint = syncEndpoint(secrets.API_INTERNAL_URL);
  if (!endpoint || !isToken(secrets.API_INTERNAL_TOKEN)) return 'not configured';
  if (!user.user_id || !isText(user.user_id, MAX_USER_ID_CHARACTERS)) return 'no usable user_id';
  const profile = { user_id: user.user_id, email_verified: user.email_verified === true };
  for (const [name, most] of Object.entries(PROFILE)) {
    if (isText(user[name], most)) profile[name] = user[name];
  }
  try {
    const response = await fetch(endpoint, {
      method: 'POST',
      headers: { authorization: `Bearer ${secrets.API_INTERNAL_TOKEN}`, 'content-type': 'application/json' },
      body: JSON.stringify(profile),
      // To follow would be to take the secret where nobody configured it to go.
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    // What an answer says beyond its status is of no use here, and is not read.
    await response.body?.cancel();
    return response.status === 204 ? 'ok' : `status ${response.status}`;
  } catch (error) {
    // The error's own text can quote the address or a header.
    return error?.name === 'TimeoutError' ? 'timeout' : 'unreachable';
  }
}

/** The one address that is called, or nothing where the secret is not the `https://host` of api-server's internal routes. */
function syncEndpoint(text) {
  const url = URL.canParse(text) ? new URL(text) : null;
  const isOrigin = url?.protocol === 'https:' && url.href === `${url.origin}/`;
  return isOrigin ? `${url.origin}/internal/auth/sync-user` : null;
}

/** A bearer token (RFC 6750 §2.1) of the length that api-server asks for. */
function isToken(text) {
  return typeof text === 'string' && /^(?=.{32,256}$)[A-Za-z0-9._~+/-]+={0,2}$/.test(text);
}
