/**
 * A tenant in memory, behind the `fetch` of Auth0's own client library: enough of the Management API for the deploy CLI to
 * run from its first request to its last without a network. It keeps what it is sent and writes down every change; it does
 * not judge it (types.test.mjs does).
 */

const ORIGIN = /^https:\/\/([^/]+)\/(.*)$/;

/** What a list is called in the answer, where it is not the last part of its path. */
const LIST_NAMES = { 'resource-servers': 'resource_servers', 'client-grants': 'client_grants', 'actions/actions': 'actions' };

/** What an id is called, where it is not `id`. */
const ID_NAMES = { clients: 'client_id' };

/** Collections that answer with a bare array. */
const BARE = new Set(['log-streams']);

/** What the CLI asks for as well, and does without where its token's scope leaves it out. */
const OPTIONAL = new Set(['actions/modules', 'connections-directory-provisionings', 'custom-domains']);

/** What a list can be asked for by. */
const FILTERS = ['name', 'strategy'];

export class ManagementApi {
  #changes = [];
  #permissions = new Set();
  #collections = new Map();
  #settings = new Map();

  /** @param {string} domain the only host that answers */
  constructor(domain) {
    this.domain = domain;
    // As a new tenant has it.
    this.#collection('connections').push({ id: 'con_0', name: 'Username-Password-Authentication', strategy: 'auth0', options: {} });
  }

  /** Changes since this was last asked, in their order: `{method, path, body, strategy}`, the path below `/api/v2/`. */
  takeChanges() {
    return this.#changes.splice(0);
  }

  /** What the requests so far need of a token's scope, such as `read:clients`; deployments are updates. */
  permissions() {
    return [...this.#permissions].sort();
  }

  /** What is there now: collections by their path. */
  tenant() {
    return Object.fromEntries(this.#collections);
  }

  /** Stands in for the global `fetch`. */
  fetch = async (input, init) => {
    const request = new Request(input, init);
    const [, host, rest] = ORIGIN.exec(request.url) ?? [];
    if (host !== this.domain) throw new TypeError(`no request may leave for ${request.url}`);
    const text = await request.text();
    const path = decodeURIComponent(rest.split('?')[0]);
    const query = new URL(request.url).searchParams;
    if (path === 'oauth/token') {
      return json(200, { access_token: 'management-token', token_type: 'Bearer', expires_in: 86400 });
    }
    const body = text === '' ? undefined : JSON.parse(text);
    return this.#answer(request.method, path.replace(/^api\/v2\//, ''), body, query);
  };

  #answer(method, path, body, query) {
    if (OPTIONAL.has(path)) return json(403, { message: 'Insufficient scope' });
    this.#permissions.add(permissionFor(method, path));
    if (method !== 'GET') this.#changes.push({ method, path, body, strategy: this.#strategyOf(path, body) });
    if (isSettings(path)) return this.#answerSettings(method, path, body);
    if (/^actions\/triggers\/[^/]+\/bindings$/.test(path)) return this.#answerBindings(method, path, body);
    if (/^actions\/actions\/[^/]+\/deploy$/.test(path)) return json(202, {});
    if (path === 'actions/triggers') return json(200, { triggers: [{ id: 'post-login', version: 'v3', status: 'CURRENT' }] });
    const enabled = /^connections\/([^/]+)\/clients$/.exec(path);
    if (enabled) return this.#answerEnabledClients(method, enabled[1], body);
    return this.#answerCollection(method, path, body, query);
  }

  #answerSettings(method, path, body) {
    if (method !== 'GET') this.#settings.set(path, { ...this.#settings.get(path), ...body });
    return json(200, this.#settings.get(path) ?? {});
  }

  #answerBindings(method, path, body) {
    if (method !== 'GET') {
      const bindings = body.bindings.map(({ ref, display_name: name }) => ({ action: { name: ref.value }, display_name: name }));
      this.#settings.set(path, { bindings });
    }
    return json(200, this.#settings.get(path) ?? { bindings: [] });
  }

  #answerEnabledClients(method, id, body) {
    const connection = this.#collection('connections').find((one) => one.id === id);
    connection.clients ??= [];
    for (const { client_id: client, status } of body ?? []) {
      connection.clients = connection.clients.filter((one) => one !== client);
      if (status) connection.clients.push(client);
    }
    if (method !== 'GET') return new Response(null, { status: 204 });
    return json(200, { clients: connection.clients.map((client) => ({ client_id: client })) });
  }

  #answerCollection(method, path, body, query) {
    const parts = path.split('/');
    const depth = parts[0] === 'actions' ? 2 : 1;
    const name = parts.slice(0, depth).join('/');
    const [id, below] = parts.slice(depth);
    const idName = ID_NAMES[name] ?? 'id';
    const all = this.#collection(name);
    if (id === undefined && method === 'GET') {
      const isAskedFor = (one) => FILTERS.every((key) => !query.has(key) || one[key] === query.get(key));
      return json(200, page(name, all.filter(isAskedFor)));
    }
    if (id === undefined && method === 'POST') {
      const made = { ...body, [idName]: `${parts[depth - 1]}-${all.length + 1}` };
      all.push(made);
      return json(201, made);
    }
    const found = all.find((one) => one[idName] === id);
    if (!found) return json(404, { statusCode: 404, message: `no ${path}` });
    if (below !== undefined) return json(200, page(below, []));
    if (method === 'PATCH') Object.assign(found, body);
    return json(200, found);
  }

  /** A connection's fields depend on its strategy, which a change of it does not say again. */
  #strategyOf(path, body) {
    if (path === 'connections') return body.strategy;
    return this.#collection('connections').find((one) => path === `connections/${one.id}`)?.strategy;
  }

  #collection(name) {
    if (!this.#collections.has(name)) this.#collections.set(name, []);
    return this.#collections.get(name);
  }
}

/** Single objects that are read and changed, never made. */
function isSettings(path) {
  return path === 'branding' || path === 'tenants/settings' || /^(prompts|attack-protection)(\/|$)/.test(path);
}

/** Auth0 names permissions after the first part of the path, but for the tenant's settings. */
function permissionFor(method, path) {
  const [first, ...rest] = path.split('/');
  const isMade = method === 'POST' && !rest.includes('deploy');
  const verb = method === 'GET' ? 'read' : isMade ? 'create' : 'update';
  return `${verb}:${path === 'tenants/settings' ? 'tenant_settings' : first.replaceAll('-', '_')}`;
}

function page(name, all) {
  if (BARE.has(name)) return all;
  return { [LIST_NAMES[name] ?? name]: all, start: 0, limit: 100, length: all.length, total: all.length };
}

function json(status, body) {
  return new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json' } });
}
