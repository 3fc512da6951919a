/** What the deploy CLI sends to Auth0, request by request: well-formed, complete, the same however often, and no secret astray. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { findMistakes } from '../support/types.mjs';
import { ENVIRONMENT } from '../support/values.mjs';
import { imported } from './imported.mjs';

const { first, second, dry } = imported;

test("every request is what Auth0's own client library describes", () => {
  const changes = [...first, ...second];
  const mistakes = findMistakes(changes).flatMap((list, index) => list.map((text) => `${changes[index].path}: ${text}`));
  assert.deepEqual(mistakes, []);
});

test('a field that is wrong is found, wherever it stands', () => {
  const broken = (path, change) => {
    const request = structuredClone(first.find((one) => one.path === path));
    change(request.body);
    return request;
  };
  const requests = [
    broken('clients', (body) => (body.calbacks = [])),
    broken('clients', (body) => (body.app_type = 'single_page')),
    broken('clients', (body) => (body.refresh_token.idle_lifetime = 1)),
    broken('clients', (body) => (body.refresh_token.leeway = '30')),
    broken('clients', (body) => (body.jwt_configuration.algorithm = 'RS256')),
    broken('resource-servers', (body) => (body.subject_type_authorization.user.policy = 'allow_some')),
    broken('resource-servers', (body) => delete body.identifier),
    broken('resource-servers', (body) => (body.scopes[0].name = 'read:documents')),
    broken('connections', (body) => (body.options.set_user_root_atributes = 'on_first_login')),
    broken('connections/con_0', (body) => (body.options.password_complexity_options.minimum = 12)),
    broken('actions/actions', (body) => (body.supported_triggers[0].id = 'post-logout')),
    broken('log-streams', (body) => (body.filters[0].name = 'auth.login.failure')),
    broken('log-streams', (body) => delete body.sink.httpEndpoint),
    broken('tenants/settings', (body) => (body.oidc_logout.discovery = true)),
    { method: 'POST', path: 'organizations', body: {} },
  ];
  const found = findMistakes(requests);
  requests.forEach((request, index) => assert.equal(found[index].length, 1, JSON.stringify(request.body)));
});

test('no placeholder reaches the tenant', () => {
  const left = JSON.stringify(first.map(({ body }) => body)).match(/##\w*|@@\w*/g);
  assert.equal(left, null);
});

test('a secret stands where it is used and nowhere else', () => {
  const places = (secret) => {
    const holds = ({ body }) => JSON.stringify(body ?? null).includes(secret);
    return first.filter(holds).map(({ path, body }) => `${path} ${body.name}`);
  };
  assert.deepEqual(places(ENVIRONMENT.API_INTERNAL_TOKEN), ['actions/actions edge-auth post-login', 'log-streams api-server']);
  assert.deepEqual(places(ENVIRONMENT.GOOGLE_CLIENT_SECRET), ['connections google-oauth2']);
  assert.deepEqual(places(ENVIRONMENT.GITHUB_CLIENT_SECRET), ['connections github']);
  assert.deepEqual(places(ENVIRONMENT.AUTH0_CLIENT_SECRET), []);
});

test('a second import makes nothing anew and deletes nothing', () => {
  const deployed = (change) => /^actions\/actions\/[^/]+\/deploy$/.test(change.path);
  const methods = second.filter((change) => !deployed(change)).map((change) => change.method);
  assert.deepEqual([...new Set(methods)], ['PATCH']);
});

test('a dry run asks and changes nothing', () => {
  assert.deepEqual(dry, []);
});
