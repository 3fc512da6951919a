/**
 * The deploy CLI's own import, against a tenant in memory.
 *
 * It runs in a process of its own, which is this file again: the CLI keeps its configuration in globals, and copies timers,
 * which node's test runner, watching every one of them, does not survive.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import { FOLDER, readConfiguration } from '../../tools/values.mjs';
import { ManagementApi } from './management-api.mjs';
import { ENVIRONMENT } from './values.mjs';

/** What the deploy CLI is told by these tests. */
export const CONFIGURATION = readConfiguration('prod', ENVIRONMENT);

const THIS_FILE = fileURLToPath(import.meta.url);

/**
 * @typedef {{method: string, path: string, body?: any, strategy?: string}} Change
 *
 * Imports the production tenant twice, and once more as a dry run.
 *
 * @returns {Promise<{first: Change[], second: Change[], dry: Change[], tenant: Record<string, any[]>, permissions: string[]}>}
 *   what each changed, what is in the tenant in the end, and the permissions it took
 */
export async function importTenant() {
  const child = fork(THIS_FILE, [], { execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const exit = once(child, 'exit').then(([code]) => {
    throw new Error(`the import ended with ${code} and no result`);
  });
  const [result] = await Promise.race([once(child, 'message'), exit]);
  return result;
}

if (process.argv[1] === THIS_FILE) {
  const { deploy } = await import('auth0-deploy-cli');
  const api = new ManagementApi(CONFIGURATION.AUTH0_DOMAIN);
  // No request leaves the process.
  globalThis.fetch = api.fetch;
  const run = async (options) => {
    const file = fileURLToPath(new URL('tenant.yaml', FOLDER));
    await deploy({ input_file: file, config: structuredClone(CONFIGURATION), env: false, ...options });
    return api.takeChanges();
  };
  const [first, second, dry] = [await run(), await run(), await run({ dry_run: true })];
  process.send({ first, second, dry, tenant: api.tenant(), permissions: api.permissions() });
  process.disconnect();
}
