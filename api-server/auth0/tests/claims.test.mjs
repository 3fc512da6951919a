/** The claims that the post-login Action puts into tokens. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { login, run } from './support/login.mjs';
import { defaultOf, members, policy, text } from './support/repository.mjs';

const ROLES = 'https://pymd.io/roles';

async function check(event, expected) {
  const { accessToken, idToken } = await run(login(event));
  assert.deepEqual(accessToken, expected);
  assert.deepEqual(idToken, expected);
}

test('roles are under the name that api-server and the edge look for', () => {
  assert.equal(defaultOf('API_ROLES_CLAIM'), ROLES);
  const asked = members(policy().rules, 'claims').flat().flatMap((claim) => claim.path);
  assert.ok(asked.includes(ROLES));
});

test('the roles of a user are in both tokens', () => {
  const roles = ['editor', 'admin'];
  return check({ authorization: { roles } }, { [ROLES]: roles });
});

test('a user without roles has an empty list of them', async () => {
  await check({ authorization: { roles: [] } }, { [ROLES]: [] });
  await check({ authorization: {} }, { [ROLES]: [] });
  await check({ authorization: undefined }, { [ROLES]: [] });
  await check({ authorization: { roles: 'admin' } }, { [ROLES]: [] });
});

test('roles that api-server would not read are left out', async () => {
  const constant = (name) => Number(text('api-server/src/profile/model.rs').match(new RegExp(`const ${name}: usize = (\\d+);`))[1]);
  const longest = 'é'.repeat(constant('MAX_ROLE_CHARS'));
  const odd = [longest, `${longest}x`, '', 7, null, 'a\nb', 'editor'];
  await check({ authorization: { roles: odd } }, { [ROLES]: [longest, 'editor'] });
  const many = Array.from({ length: constant('MAX_ROLES') + 1 }, (_, index) => `role-${index}`);
  await check({ authorization: { roles: many } }, { [ROLES]: many.slice(0, -1) });
});

test('plain values of app_metadata that are meant for rules become claims', () =>
  check(
    { user: { app_metadata: { plan: 'team', suspended: false, tenant: 'acme', internal_note: 'x', roles: ['admin'] } } },
    {
      [ROLES]: [],
      'https://pymd.io/plan': 'team',
      'https://pymd.io/suspended': false,
      'https://pymd.io/tenant': 'acme',
    },
  ));

test('what is no plain value, or a long one, stays out of tokens', () =>
  check({ user: { app_metadata: { plan: { name: 'team' }, suspended: NaN, tenant: 'x'.repeat(257) } } }, { [ROLES]: [] }));

test('what users write about themselves never becomes a claim', () =>
  check({ user: { user_metadata: { plan: 'enterprise', suspended: false, roles: ['admin'] } } }, { [ROLES]: [] }));

test('a member that an object inherits is no metadata', () =>
  check({ user: { app_metadata: Object.create({ plan: 'enterprise' }) } }, { [ROLES]: [] }));

test('a refreshed token has the roles of now', async () => {
  const event = { transaction: { protocol: 'oauth2-refresh-token' }, authorization: { roles: ['editor'] } };
  await check(event, { [ROLES]: ['editor'] });
});

test('a machine has no claims, and nobody is told of it', async () => {
  const { accessToken, idToken, calls, log } = await run({ ...login(), user: undefined });
  assert.deepEqual([accessToken, idToken, calls, log], [{}, {}, [], []]);
});
