/** The call that tells api-server who logged in: what it says, and that no login ever waits for it or fails by it. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { mock, test } from 'node:test';

import { SECRETS, USER, login, run } from './support/login.mjs';
import { hasRoute, text } from './support/repository.mjs';

const ROLES = { 'https://pymd.io/roles': ['editor'] };
const EDITOR = { authorization: { roles: ['editor'] } };

/** The most characters api-server takes of a member, as its own source says. */
function longest(member) {
  const source = text('api-server/src/internal/sync_user.rs');
  return Number(source.match(new RegExp(`text\\("${member}", ([\\d_]+)\\)`))[1].replaceAll('_', ''));
}

/** Whatever the answer: the login goes on with its claims, and the log has one line without anything secret or personal. */
async function checkFailure(fetch, line, event = login(EDITOR)) {
  const { accessToken, log } = await run(event, fetch);
  assert.deepEqual(accessToken, ROLES);
  assert.deepEqual(log, [line]);
}

test('a login is told to api-server, once, with the internal token', async () => {
  const { calls, log } = await run(login());
  assert.equal(calls.length, 1);
  const [{ url, method, headers, body, redirect }] = calls;
  assert.equal(url, 'https://hooks.example.com/internal/auth/sync-user');
  assert.ok(hasRoute('POST /internal/auth/sync-user'));
  assert.equal(method, 'POST');
  assert.equal(redirect, 'manual');
  assert.deepEqual(headers, { authorization: `Bearer ${SECRETS.API_INTERNAL_TOKEN}`, 'content-type': 'application/json' });
  assert.deepEqual(JSON.parse(body), USER);
  assert.deepEqual(log, []);
});

test('nothing else that Auth0 knows of a user is sent', async () => {
  const more = { app_metadata: { plan: 'team' }, user_metadata: { a: 1 }, identities: [{}], phone_number: '+1' };
  const { calls } = await run(login({ user: more }));
  assert.deepEqual(JSON.parse(calls[0].body), USER);
});

test('what api-server would refuse is left out, at its own limits', async () => {
  for (const member of ['email', 'name', 'picture']) {
    const most = longest(member);
    const cases = [['é'.repeat(most), true], ['é'.repeat(most + 1), false], ['a\u0000b', false], [7, false], [null, false]];
    for (const [value, isSent] of cases) {
      const { calls } = await run(login({ user: { [member]: value } }));
      assert.equal(Object.hasOwn(JSON.parse(calls[0].body), member), isSent, `${member} of ${String(value).length}`);
    }
  }
});

test('an email counts as verified only where Auth0 says true', async () => {
  for (const [given, sent] of [[true, true], [false, false], ['true', false], [undefined, false]]) {
    const { calls } = await run(login({ user: { email_verified: given } }));
    assert.equal(JSON.parse(calls[0].body).email_verified, sent);
  }
});

test('a user id that api-server would refuse is not sent', async () => {
  const most = longest('user_id');
  const { calls } = await run(login({ user: { user_id: 'x'.repeat(most) } }));
  assert.equal(calls.length, 1);
  for (const id of ['', undefined, 7, 'x'.repeat(most + 1), 'a\nb']) {
    const { calls, log } = await run(login({ user: { user_id: id } }));
    assert.deepEqual([calls, log], [[], ['sync-user: no usable user_id']]);
  }
});

test('a refresh is no login: nobody is told, nobody waits', async () => {
  const { calls, log } = await run(login({ transaction: { protocol: 'oauth2-refresh-token' } }));
  assert.deepEqual([calls, log], [[], []]);
});

test('an api-server that is slow is given up after two seconds', async () => {
  let asked;
  // The time limit runs out when the test says so.
  const limits = mock.method(AbortSignal, 'timeout', (milliseconds) => {
    asked = milliseconds;
    return AbortSignal.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError'));
  });
  const slow = (_, { signal }) => new Promise((_, reject) => signal.aborted && reject(signal.reason));
  await checkFailure(slow, 'sync-user: timeout');
  limits.mock.restore();
  assert.equal(asked, 2000);
});

test('an api-server that fails or refuses fails no login', async () => {
  for (const status of [200, 301, 400, 401, 403, 404, 422, 429, 500, 503]) {
    await checkFailure(async () => new Response('a page that quotes ada@example.com', { status }), `sync-user: status ${status}`);
  }
});

test('an api-server that is not there fails no login, and the log does not quote the error', async () => {
  const refused = async () => {
    throw new TypeError(`fetch failed: ECONNREFUSED with ${SECRETS.API_INTERNAL_TOKEN}`);
  };
  await checkFailure(refused, 'sync-user: unreachable');
  const broken = () => {
    throw new Error('no fetch today');
  };
  await checkFailure(broken, 'sync-user: unreachable');
});

test('a redirect is not followed: the token goes to the configured host only', async () => {
  const away = async () => new Response(null, { status: 307, headers: { location: 'https://evil.example/' } });
  const { calls, log } = await run(login(), away);
  assert.deepEqual([calls.length, calls[0].redirect, log], [1, 'manual', ['sync-user: status 307']]);
});

test('the address is https, a host and nothing else, or nobody is called', async () => {
  for (const url of [
    undefined,
    '',
    'hooks.example.com',
    'http://hooks.example.com',
    'https://user:password@hooks.example.com',
    'https://hooks.example.com/elsewhere',
    'https://hooks.example.com/?to=https://evil.example',
    'https://hooks.example.com/#fragment',
    'javascript:alert(1)',
    'file:///etc/passwd',
    '##HOOKS_URL##',
  ]) {
    const event = login({ secrets: { ...SECRETS, API_INTERNAL_URL: url } });
    const { calls, log } = await run(event);
    assert.deepEqual([calls, log], [[], ['sync-user: not configured']], url);
  }
});

test('a token that was never set is not sent', async () => {
  const long = 'x'.repeat(257);
  for (const token of [undefined, '', 'short', '##API_INTERNAL_TOKEN##', 'a b'.repeat(20), long, `${SECRETS.API_INTERNAL_TOKEN}\r\nx: y`]) {
    const { calls, log } = await run(login({ secrets: { ...SECRETS, API_INTERNAL_TOKEN: token } }));
    assert.deepEqual([calls, log], [[], ['sync-user: not configured']]);
  }
  const { calls, log } = await run(login({ secrets: undefined }));
  assert.deepEqual([calls, log], [[], ['sync-user: not configured']]);
});

test('on a real connection: a server that never answers, and one that hangs up', async () => {
  const { fetch } = globalThis;
  let answer = () => {};
  const server = createServer((request) => answer(request)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const toServer = (_, init) => fetch(`http://127.0.0.1:${server.address().port}`, init);
  await checkFailure(toServer, 'sync-user: timeout');
  answer = (request) => request.socket.destroy();
  await checkFailure(toServer, 'sync-user: unreachable');
  server.closeAllConnections();
  server.close();
});
