/**
 * The deploy CLI's own import, against a tenant in memory. As a program it imports the production tenant as often as its
 * first argument says, and prints what came of it as JSON.
 *
 * A process of its own: the CLI keeps its configuration in globals, and copies timers, which node's test runner, watching
 * every one of them, does not survive.
 */
import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { FOLDER, readConfiguration } from '../../tools/values.mjs';
import { ManagementApi } from './management-api.mjs';
import { ENVIRONMENT } from './values.mjs';

/** What the deploy CLI is told by these tests. */
export const CONFIGURATION = readConfiguration('prod', ENVIRONMENT);

const MAX_OUTPUT_BYTES = 4 << 20;

/**
 * @param {number} times how often the same tenant is imported
 * @returns {Promise<{changes: {method: string, path: string, body: any}[][], tenant: Record<string, any[]>}>} what each import
 *   changed, and what is in the tenant in the end
 */
export async function importTenant(times) {
  const { stdout } = await promisify(execFile)(process.execPath, [fileURLToPath(import.meta.url), String(times)], {
    maxBuffer: MAX_OUTPUT_BYTES,
  });
  return JSON.parse(stdout);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { deploy } = await import('auth0-deploy-cli');
  createRequire(import.meta.url)('auth0-deploy-cli/lib/logger').default.silent = true;
  const api = new ManagementApi(CONFIGURATION.AUTH0_DOMAIN);
  // No request leaves the process.
  globalThis.fetch = api.fetch;
  const changes = [];
  for (let time = 0; time < Number(process.argv[2]); time += 1) {
    await deploy({
      input_file: fileURLToPath(new URL('tenant.yaml', FOLDER)),
      config: structuredClone(CONFIGURATION),
      env: false,
    });
    changes.push(api.takeChanges());
  }
  process.stdout.write(JSON.stringify({ changes, tenant: api.tenant() }));
}
