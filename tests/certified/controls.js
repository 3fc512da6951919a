// What tests set and ask, by the routes of the simulated Auth0: how long access tokens live, which path answers late,
// and which saw how many requests.

import { setTimeout } from 'node:timers/promises'

let seconds = 3600
const counts = new Map()
const delays = new Map()

/** How long an access token lives, in seconds. */
export const lifetime = () => seconds

/** Counts every request, and answers those under /sim/. */
export function controls() {
  return async (request, response) => {
    const { pathname } = new URL(request.url, 'http://provider')
    if (!pathname.startsWith('/sim/')) {
      counts.set(pathname, (counts.get(pathname) ?? 0) + 1)
      if (delays.has(pathname)) await setTimeout(delays.get(pathname))
      return false
    }
    if (pathname === '/sim/lifetime' && request.method === 'POST') {
      seconds = JSON.parse(await body(request)).seconds
      response.writeHead(204).end()
    } else if (pathname === '/sim/fault' && request.method === 'DELETE') {
      delays.clear()
      response.writeHead(204).end()
    } else if (pathname === '/sim/fault') {
      const { path, fault } = JSON.parse(await body(request))
      delays.set(path, fault.delay_ms)
      response.writeHead(204).end()
    } else if (pathname === '/sim/stats') {
      const stats = Object.fromEntries([...counts].map(([path, count]) => [path, { count }]))
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(stats))
    } else {
      response.writeHead(404).end()
    }
    return true
  }
}

/** The whole body as text. */
export async function body(request) {
  const pieces = []
  for await (const piece of request) pieces.push(piece)
  return Buffer.concat(pieces).toString()
}
