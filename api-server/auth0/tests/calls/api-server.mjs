/**
 * What Auth0 calls, against a real api-server: `cargo xtask test` starts one and says where its internal listener is. The
 * listener speaks plain HTTP, as behind the edge; the Action asks for https, so the scheme is changed on the way.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { SECRETS, login, run } from '../support/login.mjs';

const { API_INTERNAL_ADDRESS: address, API_INTERNAL_TOKEN: token } = process.env;
const { fetch } = globalThis;

const toServer = (url, init) => fetch(url.replace(SECRETS.API_INTERNAL_URL, address), init);

/** What the Action logs of a login; nothing where api-server kept what it was told. */
async function logOf(user, secret = token) {
  const { calls, log } = await run(login({ user, secrets: { ...SECRETS, API_INTERNAL_TOKEN: secret } }), toServer);
  assert.equal(calls.length, 1);
  return log;
}

test('api-server keeps what the Action tells it, again and again', async () => {
  assert.deepEqual(await logOf({}), []);
  assert.deepEqual(await logOf({}), []);
});

test('api-server takes the longest values that the Action sends', async () => {
  const longest = { user_id: 'é'.repeat(255), email: 'é'.repeat(320), name: 'é'.repeat(1024), picture: 'é'.repeat(1024) };
  assert.deepEqual(await logOf(longest), []);
});

test('api-server takes a user of whom Auth0 knows next to nothing', async () => {
  const nothing = { email: undefined, email_verified: undefined, name: null, picture: undefined };
  assert.deepEqual(await logOf(nothing), []);
});

test('api-server refuses another token, and the login goes on', async () => {
  assert.deepEqual(await logOf({}, 'another-token-of-the-right-length-0123456789'), ['sync-user: status 401']);
});

test('api-server counts what the log stream delivers, for the token of the log stream', async () => {
  const events = [1, 2, 3, 4, 5].map((number) => ({
    log_id: `9002026112300000000000000000000000000000${number}`,
    data: { type: 'fp', ip: '203.0.113.7', user_name: 'ada@example.com', user_id: 'auth0|ada', user_agent: 'a browser' },
  }));
  const deliver = (bearer) =>
    fetch(`${address}/internal/auth0/logs`, {
      method: 'POST',
      headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' },
      body: JSON.stringify(events),
    });
  assert.equal((await deliver('another-token-of-the-right-length-0123456789')).status, 401);
  assert.equal((await deliver(token)).status, 204);
  const feed = await (await fetch(`${address}/internal/edge/feed`)).text();
  assert.ok(feed.includes('203.0.113.7'), feed);
});
