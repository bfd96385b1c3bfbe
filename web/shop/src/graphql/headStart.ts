/** A request for what everybody may read. */
export interface Question {
  operationName: string
  query: string
  /** None where the query takes none. */
  variables?: object
}

/** What was asked ahead: the whole answer, and, once it is there and free of errors, the data in it. */
interface Ahead {
  question: Question
  answer: Promise<Response>
  data?: object
}

/** What was asked before the application had loaded, by the request's body. */
const underWay = new Map<string, Ahead>()
/** One for each question: settled when it is answered, or has failed. */
const settled: Promise<unknown>[] = []

/** A request's body, written as urql writes it: with sorted keys. */
export function bodyOf({ operationName, query, variables }: Question): string {
  return JSON.stringify({ operationName, query, variables }, sortedKeys)
}

function sortedKeys(_: string, value: unknown): unknown {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  return isObject ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) : value
}

/** Asks what the application will ask as soon as it runs. Answers the data, if there is nothing wrong with it. */
export function askAhead(question: Question): Promise<object | undefined> {
  const body = bodyOf(question)
  const headers = { 'Content-Type': 'application/json', Accept: 'application/graphql-response+json' }
  const ahead: Ahead = { question, answer: fetch('/graphql', { method: 'POST', headers, body }) }
  underWay.set(body, ahead)
  const data = ahead.answer.then(async (response) => {
    const answer = (await response.clone().json()) as { data?: object; errors?: unknown }
    if (!answer.errors) ahead.data = answer.data
    return ahead.data
  })
  settled.push(data.catch(() => undefined))
  return data
}

/** Settles when everything that was asked ahead is answered, and in any case after so long. */
export function answeredAhead(withinMs: number): Promise<unknown> {
  return Promise.race([Promise.all(settled), new Promise((resolve) => setTimeout(resolve, withinMs))])
}

/** The answers that are there by now, each once. The others are left to `fetchOrTake`. */
export function takeAnswers(): { question: Question; data: object }[] {
  const answers: { question: Question; data: object }[] = []
  for (const [body, { question, data }] of underWay) {
    if (!data) continue
    answers.push({ question, data })
    underWay.delete(body)
  }
  return answers
}

/** `fetch`, but for what was asked ahead: that is already on its way. If it failed, it is asked for again. */
export const fetchOrTake: typeof fetch = (url, init) => {
  const body = typeof init?.body === 'string' ? init.body : ''
  const ahead = underWay.get(body)
  underWay.delete(body)
  if (!ahead) return fetch(url, init)
  return Promise.race([ahead.answer, aborted(init?.signal)]).catch(() => fetch(url, init))
}

/** Fails as soon as nobody wants the answer any more; `fetch` then says so. */
function aborted(signal?: AbortSignal | null): Promise<never> {
  return new Promise((_, reject) => {
    if (signal?.aborted) reject(signal.reason)
    signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}
