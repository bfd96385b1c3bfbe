/** Answers that were asked for before the application had loaded, by the request's body. */
const underWay = new Map<string, Promise<Response>>()

/** A request's body, written as urql writes it: with sorted keys. */
export function bodyOf(request: { operationName: string; query: string; variables: object }): string {
  const { operationName, query, variables } = request
  return JSON.stringify({ operationName, query, variables }, sortedKeys)
}

function sortedKeys(_: string, value: unknown): unknown {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  return isObject ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) : value
}

/** Asks what the application will ask with this body, once, as soon as it runs. For what everybody may read. */
export function askAhead(body: string): Promise<Response> {
  const headers = { 'Content-Type': 'application/json', Accept: 'application/graphql-response+json' }
  const answer = fetch('/graphql', { method: 'POST', headers, body })
  underWay.set(body, answer)
  return answer.then((response) => response.clone())
}

/** `fetch`, but for what was asked ahead: that is already on its way. If it failed, it is asked for again. */
export const fetchOrTake: typeof fetch = (url, init) => {
  const body = typeof init?.body === 'string' ? init.body : ''
  const answer = underWay.get(body)
  underWay.delete(body)
  if (!answer) return fetch(url, init)
  return Promise.race([answer, aborted(init?.signal)]).catch(() => fetch(url, init))
}

/** Fails as soon as nobody wants the answer any more; `fetch` then says so. */
function aborted(signal?: AbortSignal | null): Promise<never> {
  return new Promise((_, reject) => {
    if (signal?.aborted) reject(signal.reason)
    signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}
