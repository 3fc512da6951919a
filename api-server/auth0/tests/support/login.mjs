/** A login as Auth0 hands it to the post-login Action, and what the Action makes of it. */
import { createRequire } from 'node:module';

import { FOLDER } from '../../tools/values.mjs';

const { onExecutePostLogin } = createRequire(FOLDER)('./actions/post-login.js');

export const SECRETS = {
  API_INTERNAL_URL: 'https://hooks.example.com',
  API_INTERNAL_TOKEN: 'an-internal-token-of-a-test-0123456789',
};

export const USER = {
  user_id: 'auth0|ada',
  email: 'ada@example.com',
  email_verified: true,
  name: 'Ada',
  picture: 'https://example.com/ada.png',
};

/** A login of {@link USER}; each argument replaces a member of the event. */
export function login({ user = {}, ...members } = {}) {
  return {
    user: { ...USER, ...user },
    secrets: SECRETS,
    transaction: { protocol: 'oidc-basic-profile' },
    // None of this may matter: the person who logs in, or the page they come from, has a say in it.
    request: { hostname: 'evil.example', query: { API_INTERNAL_URL: 'https://evil.example' }, body: {} },
    client: { metadata: { API_INTERNAL_URL: 'https://evil.example' } },
    ...members,
  };
}

/**
 * Runs the Action.
 *
 * @param event what {@link login} makes
 * @param {(url: string, init: RequestInit) => Promise<Response>} fetch stands in for the network
 */
export async function run(event, fetch = async () => new Response(null, { status: 204 })) {
  const done = { calls: [], log: [], accessToken: {}, idToken: {} };
  const token = (claims) => ({ setCustomClaim: (name, value) => (claims[name] = value) });
  const { fetch: network } = globalThis;
  const { log } = console;
  globalThis.fetch = (url, init) => {
    done.calls.push({ url: String(url), ...init });
    return fetch(url, init);
  };
  console.log = (...words) => done.log.push(words.join(' '));
  try {
    await onExecutePostLogin(event, { accessToken: token(done.accessToken), idToken: token(done.idToken) });
  } finally {
    globalThis.fetch = network;
    console.log = log;
  }
  return done;
}
