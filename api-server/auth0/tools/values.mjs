/**
 * The values that differ between tenants: which there are, where they come from, what they must look like.
 *
 * The deploy CLI leaves a placeholder without a value where it stands, so that a tenant can end up with the secret
 * `##API_INTERNAL_TOKEN##`. Here a value that is missing or wrong is a mistake, and all mistakes are told at once. No error
 * quotes a value.
 */
import { readFileSync } from 'node:fs';

/** The folder with `tenant.yaml`. */
export const FOLDER = new URL('../', import.meta.url);

/** Values anybody may read, from `config/NAME.json`: placeholder → what it must be. */
const PUBLIC = {
  FRIENDLY_NAME: { is: isLine, must: 'be one line of text' },
  LOGO_URL: { is: isHttps, must: 'be an https URL' },
  FAVICON_URL: { is: isHttps, must: 'be an https URL' },
  API_PUBLIC_URL: { is: isOrigin, must: 'be https://host with nothing behind it, as api-server has it' },
  SPA_ORIGINS: { is: (value) => isList(value, isPageOrigin), must: 'be a list of https://host (http for localhost only)' },
  HOOKS_URL: { is: isOrigin, must: 'be https://host with nothing behind it' },
  BACKCHANNEL_LOGOUT_URLS: {
    is: (value) => isList(value, isHttps) && value.length <= 1,
    must: 'be a list of one https URL, or an empty one where the plan has no back-channel logout',
  },
};

/** Values nobody may read, from the environment: placeholder → what it must be. */
const SECRET = {
  API_INTERNAL_TOKEN: {
    // RFC 6750 §2.1; the length is what api-server asks for.
    is: (value) => /^(?=.{32,256}$)[A-Za-z0-9._~+/-]+={0,2}$/.test(value),
    must: 'be 32 to 256 characters of A-Z a-z 0-9 . _ ~ + / -, as api-server has it',
  },
  GOOGLE_CLIENT_ID: { is: isWord, must: 'be a client id of Google' },
  GOOGLE_CLIENT_SECRET: { is: isWord, must: 'be its secret' },
  GITHUB_CLIENT_ID: { is: isWord, must: 'be a client id of GitHub' },
  GITHUB_CLIENT_SECRET: { is: isWord, must: 'be its secret' },
};

/** What the deploy CLI itself logs in with, from the environment. */
const CREDENTIALS = {
  AUTH0_CLIENT_ID: { is: isWord, must: "be the deploy application's client id" },
  AUTH0_CLIENT_SECRET: { is: isWord, must: 'be its secret' },
};

/** Every placeholder `tenant.yaml` can have. */
export const PLACEHOLDERS = ['AUTH0_DOMAIN', ...Object.keys(PUBLIC), ...Object.keys(SECRET)];

/** Every variable of the environment that is looked at. */
export const VARIABLES = [...Object.keys(CREDENTIALS), ...Object.keys(SECRET)];

/** Values that are missing or wrong. */
export class Mistakes extends Error {
  constructor(list) {
    super(list.join('\n'));
    this.name = 'Mistakes';
    this.list = list;
  }
}

/**
 * The deploy CLI's configuration for one tenant, with a value for every placeholder.
 *
 * @param {string} name `dev` or `prod`: which file of `config/`
 * @param {Record<string, string | undefined>} environment
 * @throws {Mistakes} every value that is missing or wrong
 */
export function readConfiguration(name, environment) {
  const file = `config/${name}.json`;
  return combine(JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8')), file, environment);
}

/** As {@link readConfiguration}, of what a file says. */
export function combine(configuration, file, environment) {
  const { AUTH0_DOMAIN: domain, AUTH0_KEYWORD_REPLACE_MAPPINGS: open = {} } = configuration;
  const mistakes = [];
  const check = (where, value, { is, must }) => {
    if (value === undefined || value === '') mistakes.push(`${where} is missing: it must ${must}`);
    else if (!is(value)) mistakes.push(`${where} must ${must}`);
  };
  check(`${file}: AUTH0_DOMAIN`, domain, { is: isHost, must: "be the tenant's own domain, such as name.eu.auth0.com" });
  for (const [key, rule] of Object.entries(PUBLIC)) check(`${file}: ${key}`, open[key], rule);
  for (const key of Object.keys(open)) {
    if (key in SECRET || key in CREDENTIALS) mistakes.push(`${file}: ${key} is a secret: take it out, and set the variable`);
    else if (!(key in PUBLIC)) mistakes.push(`${file}: ${key} is not known`);
  }
  for (const [key, rule] of Object.entries({ ...CREDENTIALS, ...SECRET })) {
    check(`the variable ${key}`, environment[key], rule);
  }
  if (mistakes.length > 0) throw new Mistakes(mistakes);
  const secrets = Object.fromEntries(Object.keys(SECRET).map((key) => [key, environment[key]]));
  return {
    ...configuration,
    AUTH0_CLIENT_ID: environment.AUTH0_CLIENT_ID,
    AUTH0_CLIENT_SECRET: environment.AUTH0_CLIENT_SECRET,
    AUTH0_KEYWORD_REPLACE_MAPPINGS: { ...open, ...secrets, AUTH0_DOMAIN: domain },
  };
}

function isLine(value) {
  return typeof value === 'string' && /^[^\p{Cc}]{1,100}$/u.test(value);
}

function isWord(value) {
  return typeof value === 'string' && /^[\x21-\x7e]{1,512}$/.test(value);
}

function isHost(value) {
  return typeof value === 'string' && /^[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(value);
}

function isList(value, isMember) {
  return Array.isArray(value) && value.every(isMember);
}

function isHttps(value) {
  const url = parse(value);
  return url?.protocol === 'https:' && !url.username && !url.password && !url.hash;
}

function isOrigin(value) {
  return parse(value)?.protocol === 'https:' && new URL(value).origin === value;
}

function isPageOrigin(value) {
  const url = parse(value);
  return isOrigin(value) || (url?.protocol === 'http:' && url.hostname === 'localhost' && url.origin === value);
}

function parse(value) {
  return typeof value === 'string' && URL.canParse(value) ? new URL(value) : null;
}
