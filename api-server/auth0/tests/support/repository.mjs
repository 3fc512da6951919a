/** Files of the repository that the tenant has to agree with. */
import { readFileSync } from 'node:fs';
import yaml from 'js-yaml';

import { FOLDER } from '../../tools/values.mjs';

const ROOT = new URL('../../', FOLDER);

/** @param {string} path from the root of the repository */
export function text(path) {
  return readFileSync(new URL(path, ROOT), 'utf8');
}

/** The policy at the edge. */
export function policy() {
  return yaml.load(text('envoy/plugin-config.yaml'));
}

/** The default that api-server's README, held to the code by a test of api-server's, states for a setting. */
export function defaultOf(setting) {
  const row = text('api-server/README.md').match(new RegExp(`^\\| \`${setting}\` \\| \`([^\`]+)\``, 'm'));
  if (!row) throw new Error(`api-server/README.md has no default of ${setting}`);
  return row[1];
}

/** Whether api-server's README lists a route, such as `GET /healthz`. */
export function hasRoute(route) {
  return text('api-server/README.md').includes(`| \`${route}\` |`);
}

/** Every member of that name in a JSON value, however deep. */
export function members(value, name) {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, member]) => [...(key === name ? [member] : []), ...members(member, name)]);
}
