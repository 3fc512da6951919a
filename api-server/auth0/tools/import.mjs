/**
 * `npm run import -- dev` (or `prod`): looks at every value first, then has the deploy CLI bring the tenant in line with
 * `tenant.yaml`. With `--dry-run` the CLI only says what it would change. Nothing is deleted: `AUTH0_ALLOW_DELETE` is false.
 */
import { fileURLToPath } from 'node:url';
import { deploy } from 'auth0-deploy-cli';

import { FOLDER, Mistakes, readConfiguration } from './values.mjs';

const USAGE = 'usage: npm run import -- dev|prod [--dry-run]';

try {
  const { name, isDryRun } = readArguments(process.argv.slice(2));
  await deploy({
    input_file: fileURLToPath(new URL('tenant.yaml', FOLDER)),
    config: readConfiguration(name, process.env),
    // Not the whole environment as placeholders: only what was looked at.
    env: false,
    dry_run: isDryRun,
  });
} catch (error) {
  const lines = error instanceof Mistakes ? error.list : [error.message];
  console.error(lines.map((line) => `error: ${line}`).join('\n'));
  process.exitCode = 1;
}

function readArguments(words) {
  const names = words.filter((word) => word !== '--dry-run');
  const isKnown = names.length === 1 && ['dev', 'prod'].includes(names[0]);
  if (!isKnown) throw new Error(USAGE);
  return { name: names[0], isDryRun: names.length < words.length };
}
