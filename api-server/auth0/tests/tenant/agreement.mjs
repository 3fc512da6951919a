/**
 * The tenant that tenant.yaml makes, as the deploy CLI would send it to Auth0: what the house relies on, and that the house
 * says the same.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { CONFIGURATION } from '../support/import.mjs';
import { defaultOf, hasRoute, members, policy, text } from '../support/repository.mjs';
import { ENVIRONMENT } from '../support/values.mjs';
import { imported } from './imported.mjs';

const values = CONFIGURATION.AUTH0_KEYWORD_REPLACE_MAPPINGS;
const { tenant, first: changes } = imported;

const client = (type) => tenant.clients.find((one) => one.app_type === type);
const grants = (type) => tenant['client-grants'].filter((one) => one.client_id === client(type).client_id);
const sorted = (list) => [...list].sort();

/** The scopes that api-server's login asks for, without OpenID's own. */
function scopesOfLogin() {
  const [, list] = text('api-server/src/login/provider.rs').match(/const SCOPES: \[&str; \d+\] = \[([^\]]+)\]/);
  return [...list.matchAll(/"([^"]+:[^"]+)"/g)].map(([, scope]) => scope);
}

test('the API is the audience that api-server and the edge ask for', () => {
  const [resource] = tenant['resource-servers'];
  assert.equal(resource.identifier, defaultOf('API_AUDIENCE'));
  assert.deepEqual(policy().providers.auth0.audiences, [resource.identifier]);
  assert.deepEqual(policy().providers.auth0.algorithms, [resource.signing_alg]);
  assert.equal(resource.token_lifetime, 3600);
  assert.equal(resource.allow_offline_access, true);
});

test('the API has the scopes that login asks for and rules ask of tokens, and no others', () => {
  const [resource] = tenant['resource-servers'];
  const scopes = sorted(resource.scopes.map((scope) => scope.value));
  assert.deepEqual(scopes, sorted(scopesOfLogin()));
  assert.deepEqual(scopes, sorted(new Set(members(policy().rules, 'all_of').flat())));
});

test('an application gets tokens for the API by a grant only', () => {
  const [resource] = tenant['resource-servers'];
  assert.equal(resource.subject_type_authorization.user.policy, 'require_client_grant');
  assert.equal(resource.subject_type_authorization.client.policy, 'require_client_grant');
  for (const type of ['regular_web', 'spa']) {
    const [grant, ...more] = grants(type);
    assert.deepEqual(more, []);
    assert.equal(grant.audience, resource.identifier);
    assert.equal(grant.subject_type, 'user');
    assert.deepEqual(sorted(grant.scope), sorted(scopesOfLogin()));
  }
});

test("api-server's own client reads and changes users, and can do nothing else", () => {
  const [grant, ...more] = grants('non_interactive');
  assert.deepEqual(more, []);
  assert.equal(grant.audience, `https://${CONFIGURATION.AUTH0_DOMAIN}/api/v2/`);
  assert.deepEqual(grant.scope, ['read:users', 'update:users']);
  assert.deepEqual(client('non_interactive').grant_types, ['client_credentials']);
  for (const connection of tenant.connections) {
    assert.equal(connection.clients.includes(client('non_interactive').client_id), false, connection.name);
  }
});

test('api-server logs in where its routes are', () => {
  const web = client('regular_web');
  const site = values.API_PUBLIC_URL;
  assert.deepEqual(web.callbacks, [`${site}/api/v1/auth/callback`]);
  assert.deepEqual(web.oidc_logout.backchannel_logout_urls, [`${site}/api/v1/auth/backchannel-logout`]);
  assert.deepEqual(web.allowed_logout_urls, [`${site}/`]);
  assert.ok(hasRoute('GET /api/v1/auth/callback'));
  assert.ok(hasRoute('POST /api/v1/auth/backchannel-logout'));
  // The secret goes in the body, as login/provider.rs sends it.
  assert.equal(web.token_endpoint_auth_method, 'client_secret_post');
  assert.match(text('api-server/src/login/provider.rs'), /AuthType::RequestBody/);
});

test('a page that gets tokens itself has no secret, and the edge lets it read answers', () => {
  const spa = client('spa');
  assert.equal(spa.token_endpoint_auth_method, 'none');
  assert.deepEqual(spa.web_origins, values.SPA_ORIGINS);
  for (const origin of spa.web_origins) assert.ok(policy().cors.allow_origins.includes(origin), origin);
});

test('a refresh token is used once, and lives as long as a session', () => {
  const seconds = (hours) => Number(hours.replace(/h$/, '')) * 3600;
  for (const type of ['regular_web', 'spa']) {
    const { refresh_token: refresh, grant_types: grantTypes } = client(type);
    assert.equal(refresh.rotation_type, 'rotating');
    assert.equal(refresh.expiration_type, 'expiring');
    assert.equal(refresh.infinite_token_lifetime, false);
    assert.equal(refresh.infinite_idle_token_lifetime, false);
    assert.equal(refresh.idle_token_lifetime, seconds(defaultOf('API_SESSION_IDLE')));
    assert.equal(refresh.token_lifetime, seconds(defaultOf('API_SESSION_ABSOLUTE')));
    assert.deepEqual(sorted(grantTypes), ['authorization_code', 'refresh_token']);
  }
});

test('users come by password, Google and GitHub, and own their names', () => {
  const people = [client('regular_web').client_id, client('spa').client_id];
  const strategies = tenant.connections.map((connection) => connection.strategy);
  assert.deepEqual(sorted(strategies), ['auth0', 'github', 'google-oauth2']);
  for (const connection of tenant.connections) {
    assert.deepEqual(sorted(connection.clients), sorted(people), connection.name);
    if (connection.strategy !== 'auth0') assert.equal(connection.options.set_user_root_attributes, 'on_first_login');
  }
});

test('every role that a rule asks for can be given', () => {
  const asked = members(policy().rules, 'claims')
    .flat()
    .filter((claim) => claim.path[0] === defaultOf('API_ROLES_CLAIM'))
    .flatMap((claim) => claim.any_of);
  const roles = tenant.roles.map((role) => role.name);
  assert.deepEqual(sorted(roles), sorted(new Set(asked)));
});

test('the Action is the one of the file, bound to logins and to nothing else', () => {
  const [action, ...more] = tenant['actions/actions'];
  assert.deepEqual(more, []);
  assert.equal(action.code, text('api-server/auth0/actions/post-login.js'));
  assert.deepEqual(action.supported_triggers, [{ id: 'post-login', version: 'v3' }]);
  assert.deepEqual(action.secrets, [
    { name: 'API_INTERNAL_URL', value: values.HOOKS_URL },
    { name: 'API_INTERNAL_TOKEN', value: ENVIRONMENT.API_INTERNAL_TOKEN },
  ]);
  const bound = changes.filter((change) => change.path.startsWith('actions/triggers/'));
  assert.deepEqual(bound.map((change) => change.path), ['actions/triggers/post-login/bindings']);
  assert.equal(bound[0].body.bindings[0].ref.value, action.name);
  assert.ok(changes.some((change) => change.path === `actions/actions/${action.id}/deploy`));
});

test('failed logins go to the route that counts them, with the internal token', () => {
  const [stream, ...more] = tenant['log-streams'];
  assert.deepEqual(more, []);
  assert.equal(stream.sink.httpEndpoint, `${values.HOOKS_URL}/internal/auth0/logs`);
  assert.equal(stream.sink.httpAuthorization, `Bearer ${ENVIRONMENT.API_INTERNAL_TOKEN}`);
  assert.ok(hasRoute('POST /internal/auth0/logs'));
  assert.deepEqual(stream.filters.map((filter) => filter.name), ['auth.login.fail', 'auth.token_exchange.fail']);
});

test('the discovery document names the page that logs out', () => {
  const settings = changes.find((change) => change.path === 'tenants/settings').body;
  assert.equal(settings.oidc_logout.rp_logout_end_session_endpoint_discovery, true);
});

test('the login page has the colours and the icon of the app', () => {
  const { colors, logo_url: logo } = changes.find((change) => change.path === 'branding').body;
  const light = (name) => text('api-server/web/public/app.css').match(new RegExp(`--${name}: light-dark\\((#\\w+),`))[1];
  assert.deepEqual(colors, { primary: light('accent'), page_background: light('page') });
  const page = text('api-server/web/public/index.html');
  assert.ok(page.includes(`href="${logo.replace(values.API_PUBLIC_URL, '')}"`), logo);
});
