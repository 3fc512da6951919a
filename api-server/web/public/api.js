// Requests to the API. The session is a cookie that no script can read; an expired one is renewed once, unseen, and
// the request made again.

/** Why a request did not succeed, in the app's own words. */
export class ApiError extends Error {
  /**
   * `kind` is one of `offline`, `signed-out`, `forbidden`, `limited`, `unavailable`, `not-found`, `refused` and `failed`;
   * `retryAfter` is in seconds.
   */
  constructor(kind, { status = 0, code = kind, detail = "", missing = "", retryAfter = 0, errors = [] } = {}) {
    super(detail || code);
    Object.assign(this, { kind, status, code, detail, missing, retryAfter, errors });
  }

  /** Whether asking again later may help. */
  get passes() {
    return ["offline", "limited", "unavailable"].includes(this.kind);
  }
}

/** Makes a request and gives the JSON of its answer, `null` where there is none. */
export async function request(path, options = {}) {
  let response = await send(path, options);
  if (response.status === 401) {
    await renew();
    response = await send(path, options);
  }
  return read(response);
}

/** As `request`, without renewing the session. */
export async function requestOnce(path, options = {}) {
  return read(await send(path, options));
}

let renewal;

/** Renews the session: one request however many ask. Throws `signed-out` where it is over. */
export function renew() {
  renewal ??= requestOnce("/api/v1/auth/refresh", { method: "POST" }).finally(() => (renewal = undefined));
  return renewal;
}

async function send(path, { method = "GET", body, type = "application/json" } = {}) {
  const headers = { accept: "application/json" };
  if (body !== undefined) headers["content-type"] = type;
  try {
    return await fetch(path, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: "same-origin",
      cache: "no-store",
    });
  } catch {
    throw new ApiError("offline");
  }
}

async function read(response) {
  if (response.status === 204) return null;
  // An answer that breaks off, or is none of ours (a proxy's page), has no JSON.
  const body = await response.json().catch(() => undefined);
  if (response.ok) {
    if (body === undefined) throw new ApiError("offline");
    return body;
  }
  throw problem(response, body ?? {});
}

const KINDS = { 401: "signed-out", 403: "forbidden", 404: "not-found", 429: "limited", 502: "unavailable", 503: "unavailable", 504: "unavailable" };

/** Problem details (RFC 9457) and OAuth's errors (RFC 6750) alike. */
function problem({ status, headers }, body) {
  return new ApiError(KINDS[status] ?? (status >= 500 ? "failed" : "refused"), {
    status,
    code: body.code ?? body.error,
    detail: body.detail ?? body.title ?? body.error_description,
    missing: /scope="([^"]*)"/.exec(headers.get("www-authenticate") ?? "")?.[1],
    retryAfter: Number(headers.get("retry-after")) || 0,
    errors: body.errors,
  });
}
