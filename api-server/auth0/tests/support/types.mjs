/**
 * What Auth0's own client library says a request may hold, asked through the TypeScript compiler: unknown fields, missing
 * ones, and values outside of an enumeration are found at any depth.
 */
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

import { FOLDER } from '../../tools/values.mjs';

/** The library's type of each change the deploy CLI makes: method, path with `*` for an id, and of a connection its strategy. */
const TYPES = {
  'POST clients': 'CreateClientRequestContent',
  'POST client-grants': 'CreateClientGrantRequestContent',
  'POST resource-servers': 'CreateResourceServerRequestContent',
  'POST roles': 'CreateRoleRequestContent',
  'POST log-streams': 'CreateLogStreamRequestContent',
  'POST actions/actions': 'CreateActionRequestContent',
  'POST connections google-oauth2': 'CreateConnectionRequestContentGoogleOAuth2',
  'POST connections github': 'CreateConnectionRequestContentGitHub',
  'PATCH clients/*': 'UpdateClientRequestContent',
  'PATCH client-grants/*': 'UpdateClientGrantRequestContent',
  'PATCH resource-servers/*': 'UpdateResourceServerRequestContent',
  'PATCH roles/*': 'UpdateRoleRequestContent',
  'PATCH log-streams/*': 'UpdateLogStreamRequestContent',
  'PATCH actions/actions/*': 'UpdateActionRequestContent',
  'PATCH connections/* auth0': 'UpdateConnectionRequestContentAuth0',
  'PATCH connections/* google-oauth2': 'UpdateConnectionRequestContentGoogleOAuth2',
  'PATCH connections/* github': 'UpdateConnectionRequestContentGitHub',
  'PATCH connections/*/clients': 'UpdateEnabledClientConnectionsRequestContent',
  'PATCH actions/triggers/*/bindings': 'UpdateActionBindingsRequestContent',
  'PATCH attack-protection/brute-force-protection': 'UpdateBruteForceSettingsRequestContent',
  'PATCH attack-protection/suspicious-ip-throttling': 'UpdateSuspiciousIpThrottlingSettingsRequestContent',
  'PATCH branding': 'UpdateBrandingRequestContent',
  'PATCH prompts': 'UpdateSettingsRequestContent',
  'PATCH tenants/settings': 'UpdateTenantSettingsRequestContent',
};

/** Changes without a body. */
const EMPTY = new Set(['POST actions/actions/*/deploy']);

/** The library leaves many objects open for fields to come; here, what it doesn't name is a mistake. */
const PRELUDE = `import type { Management } from 'auth0';
type Closed<T> = T extends readonly (infer E)[] ? Closed<E>[]
  : T extends object ? { [K in keyof T as string extends K ? never : K]: Closed<T[K]> } : T;
`;

/**
 * @param {{method: string, path: string, strategy?: string, body?: any}[]} changes
 * @returns {string[][]} for each change, its mistakes
 */
export function findMistakes(changes) {
  const files = new Map();
  const mistakes = changes.map((change, index) => {
    const key = keyOf(change);
    if (EMPTY.has(key)) return [];
    const type = TYPES[key];
    if (!type) return [`${key} is a change that nobody looked at: name its type`];
    files.set(nameOf(index), `${PRELUDE}export const body: Closed<Management.${type}> = ${JSON.stringify(change.body)};\n`);
    return [];
  });
  for (const { file, messageText } of compile(files)) {
    const index = Number(/(\d+)\.ts$/.exec(file.fileName)[1]);
    mistakes[index].push(ts.flattenDiagnosticMessageText(messageText, ' '));
  }
  return mistakes;
}

function keyOf({ method, path, strategy }) {
  const whole = [method, path, strategy].filter(Boolean).join(' ');
  const isKeyOf = (key) => new RegExp(`^${key.replaceAll('*', '[^/ ]+')}$`).test(whole);
  return [...Object.keys(TYPES), ...EMPTY].find(isKeyOf) ?? whole;
}

function nameOf(index) {
  // In the folder whose node_modules has the library; the file itself is never written.
  return fileURLToPath(new URL(`change-${index}.ts`, FOLDER));
}

function compile(files) {
  const options = {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: [],
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.Node16,
    moduleResolution: ts.ModuleResolutionKind.Node16,
  };
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (name) => files.has(name) || fileExists(name);
  host.readFile = (name) => files.get(name) ?? readFile(name);
  host.getSourceFile = (name, target, ...rest) =>
    files.has(name) ? ts.createSourceFile(name, files.get(name), target) : getSourceFile(name, target, ...rest);
  return ts.getPreEmitDiagnostics(ts.createProgram([...files.keys()], options, host));
}
