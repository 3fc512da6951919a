/** What docs/auth0.md tells an operator about the import and what comes after it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import yaml from 'js-yaml';

import { CONFIGURATION } from '../support/import.mjs';
import { policy, text } from '../support/repository.mjs';
import { imported } from './imported.mjs';

const guide = text('docs/auth0.md');
const { tenant, permissions } = imported;
const values = CONFIGURATION.AUTH0_KEYWORD_REPLACE_MAPPINGS;

test('the guide gives the deploy application the permissions that the import takes, and no others', () => {
  const lines = guide.split('\n').filter((line) => line.startsWith('- `read`'));
  const given = lines.flatMap((line) => {
    const [verbs, nouns] = line.split(' of ').map((part) => [...part.matchAll(/`(\w+)`/g)].map(([, word]) => word));
    return verbs.flatMap((verb) => nouns.map((noun) => `${verb}:${noun}`));
  });
  assert.deepEqual(given.sort(), permissions);
});

test('the guide names everything that the import makes by its name', () => {
  for (const collection of ['clients', 'roles', 'actions/actions', 'log-streams']) {
    for (const { name } of tenant[collection]) assert.ok(new RegExp(`[*\`]${name}[*\`]`).test(guide), name);
  }
});

test("the guide's rules and routes let Auth0 reach the two routes it calls, and nothing else", () => {
  const [rules, virtualHosts] = [...guide.matchAll(/```yaml\n(.*?)```/gs)].map(([, block]) => yaml.load(block));
  const paths = ['/internal/auth/sync-user', '/internal/auth0/logs'];
  assert.deepEqual(rules.map(({ match }) => match.path), paths);
  const { host } = new URL(values.HOOKS_URL);
  for (const { match, requires } of rules) assert.deepEqual([match.hosts, match.methods, requires], [[host], ['POST'], 'public']);
  const [virtualHost, ...more] = virtualHosts;
  assert.deepEqual([virtualHost.domains, more], [[host], []]);
  assert.deepEqual(virtualHost.routes.map(({ match }) => match), paths.map((path) => ({ path })));
  assert.equal(`${values.HOOKS_URL}${paths[1]}`, tenant['log-streams'][0].sink.httpEndpoint);
  // No rule that is there already opens more of it.
  const opened = policy().rules.filter(({ match }) => [match.path, match.prefix, match.template].some((path) => path?.startsWith('/internal')));
  assert.deepEqual(opened, []);
});
