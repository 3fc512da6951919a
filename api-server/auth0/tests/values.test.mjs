/** The values that differ between tenants: complete, well-formed, and secrets only where nobody reads them. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';

import { FOLDER, Mistakes, PLACEHOLDERS, VARIABLES, combine, readConfiguration } from '../tools/values.mjs';
import { text } from './support/repository.mjs';
import { ENVIRONMENT } from './support/values.mjs';

const prod = JSON.parse(readFileSync(new URL('config/prod.json', FOLDER), 'utf8'));

/** Values of prod.json with some replaced. */
function withOpen(values) {
  return { ...prod, AUTH0_KEYWORD_REPLACE_MAPPINGS: { ...prod.AUTH0_KEYWORD_REPLACE_MAPPINGS, ...values } };
}

function check(configuration, environment, expected) {
  assert.throws(
    () => combine(configuration, 'config/prod.json', environment),
    (error) => {
      assert.ok(error instanceof Mistakes);
      assert.deepEqual(error.list.map((line) => line.split(/ (?:is|must) /)[0]), expected);
      return true;
    },
  );
}

test('every tenant has all its values, and none is deleted from', () => {
  const names = readdirSync(new URL('config/', FOLDER)).map((file) => file.replace(/\.json$/, ''));
  assert.deepEqual(names.sort(), ['dev', 'prod']);
  for (const name of names) {
    const configuration = readConfiguration(name, ENVIRONMENT);
    assert.equal(configuration.AUTH0_ALLOW_DELETE, false);
    assert.deepEqual(Object.keys(configuration.AUTH0_KEYWORD_REPLACE_MAPPINGS).sort(), [...PLACEHOLDERS].sort());
  }
  assert.notEqual(readConfiguration('dev', ENVIRONMENT).AUTH0_DOMAIN, prod.AUTH0_DOMAIN);
});

test('tenant.yaml asks for every value there is, and for no other', () => {
  const lines = text('api-server/auth0/tenant.yaml').split('\n').filter((line) => !line.startsWith('#'));
  const asked = lines.join('\n').matchAll(/##(\w+)##|@@(\w+)@@/g);
  assert.deepEqual([...new Set([...asked].map(([, one, other]) => one ?? other))].sort(), [...PLACEHOLDERS].sort());
});

test('the guide for operators names every value', () => {
  const guide = text('docs/auth0.md');
  for (const name of new Set([...PLACEHOLDERS, ...VARIABLES])) assert.ok(guide.includes(`\`${name}\``), name);
});

test('all that is missing is told at once', () => {
  check({}, {}, [
    ...['AUTH0_DOMAIN', ...PLACEHOLDERS.filter((name) => name !== 'AUTH0_DOMAIN' && !VARIABLES.includes(name))].map(
      (name) => `config/prod.json: ${name}`,
    ),
    ...VARIABLES.map((name) => `the variable ${name}`),
  ]);
});

test('a value of the wrong shape is refused', () => {
  for (const [name, values] of Object.entries({
    FRIENDLY_NAME: ['a\nb', 7],
    LOGO_URL: ['http://pymd.io/logo.png', 'logo.png'],
    FAVICON_URL: ['javascript:alert(1)'],
    API_PUBLIC_URL: ['https://pymd.io/', 'http://pymd.io', 'https://u:p@pymd.io', 'pymd.io'],
    SPA_ORIGINS: ['https://app.pymd.io', ['https://app.pymd.io/'], ['http://app.pymd.io'], ['*']],
    HOOKS_URL: ['https://hooks.pymd.io/internal', 'http://hooks.pymd.io'],
    BACKCHANNEL_LOGOUT_URLS: [['http://pymd.io/x'], ['https://a.example/x', 'https://b.example/x']],
  })) {
    for (const value of values) check(withOpen({ [name]: value }), ENVIRONMENT, [`config/prod.json: ${name}`]);
  }
  check({ ...prod, AUTH0_DOMAIN: 'https://pymd.eu.auth0.com/' }, ENVIRONMENT, ['config/prod.json: AUTH0_DOMAIN']);
  for (const token of ['short', 'x'.repeat(257), 'with a space, which no bearer token has', '"}, {name: x-0123456789-0123456789']) {
    check(prod, { ...ENVIRONMENT, API_INTERNAL_TOKEN: token }, ['the variable API_INTERNAL_TOKEN']);
  }
});

test('a secret in a file that anybody reads is refused, and so is what nobody knows', () => {
  check(withOpen({ API_INTERNAL_TOKEN: ENVIRONMENT.API_INTERNAL_TOKEN }), ENVIRONMENT, ['config/prod.json: API_INTERNAL_TOKEN']);
  check(withOpen({ API_PUBLIC_ULR: 'https://pymd.io' }), ENVIRONMENT, ['config/prod.json: API_PUBLIC_ULR']);
});

test('no mistake quotes a value', () => {
  const token = 'a secret that is no token, as it has spaces';
  try {
    combine(withOpen({ API_PUBLIC_URL: token }), 'config/prod.json', { ...ENVIRONMENT, API_INTERNAL_TOKEN: token });
    assert.fail('nothing was found wrong');
  } catch (error) {
    assert.ok(error instanceof Mistakes);
    assert.equal(error.message.includes(token), false);
  }
});
