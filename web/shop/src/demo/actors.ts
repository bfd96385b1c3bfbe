import { stringifyDocument } from '@urql/core'
import type { TypedDocumentNode } from '@urql/core'
import { isMoving } from '@/orders/progress'
import type { OrderProgress, TimelineEntry } from '@/orders/progress'
import {
  AdjustStockMutation,
  AdminLoginMutation,
  CandidatesQuery,
  FillCartMutation,
  FollowQuery,
  NewBuyerMutation,
  PlaceOrderMutation,
  PoisonedQuery,
  SendPoisonMutation,
  StockQuery,
} from './documents'

/** How often an order or the dead letters are looked at. */
const LOOK_MS = 150

/** How long an experiment waits for the shop; a lost answer is settled well before. */
const PATIENCE_MS = 75_000

type Fault = { extensions?: { code?: string } }

const ADDRESS = { fullName: 'Trial Buyer', line1: 'Teststraße 1', postalCode: '10115', city: 'Berlin', countryCode: 'DE' }

/** Why an experiment could not go on: words below `demo.hitch`. */
export class Hitch extends Error {
  constructor(
    readonly key: 'unreachable' | 'tooMany' | 'refused' | 'nothing' | 'tooSlow',
    readonly code = '',
  ) {
    super(`${key} ${code}`)
  }
}

/**
 * Asks the gateway as somebody else than the visitor. Cookies stay out of it, so that nobody who takes part in an
 * experiment takes the visitor's place.
 */
async function ask<Data, Variables>(document: TypedDocumentNode<Data, Variables>, variables: Variables, token?: string) {
  const request = fetch('/graphql', {
    method: 'POST',
    credentials: 'omit',
    headers: { 'Content-Type': 'application/json', ...(token ? { Authorization: `Bearer ${token}` } : {}) },
    body: JSON.stringify({ query: stringifyDocument(document), variables }),
  })
  const answer = request.then((response) => response.json() as Promise<{ data?: Data; errors?: Fault[] }>)
  const { data, errors } = await answer.catch(() => Promise.reject(new Hitch('unreachable')))
  if (data && !errors) return data
  const code = errors?.[0]?.extensions?.code
  throw code === 'RATE_LIMITED' ? new Hitch('tooMany') : new Hitch('refused', code)
}

/** What a mutation gave; an experiment that is refused what it needs is over. */
function given<T>(value: T | null | undefined, userErrors: readonly { code: string }[]): T {
  if (value !== null && value !== undefined) return value
  const [refusal] = userErrors
  throw refusal ? new Hitch('refused', refusal.code) : new Hitch('nothing')
}

/** A throwaway account: its token. */
export async function newBuyer(): Promise<string> {
  const name = `trial-${Array.from(crypto.getRandomValues(new Uint32Array(2)), (part) => part.toString(36)).join('')}`
  const input = { username: name, email: `${name}@prost.example`, password: `${name}-password` }
  const { registerUser } = await ask(NewBuyerMutation, { input })
  return given(registerUser.token, registerUser.userErrors)
}

export async function adminOf(login: { email: string; password: string }): Promise<string> {
  const { loginUser } = await ask(AdminLoginMutation, { input: { email: login.email, password: login.password } })
  return given(loginUser.token, loginUser.userErrors)
}

export interface Subject {
  id: string
  name: string
  stockQuantity: number
}

/** Any product of which there is enough to play with. */
export async function anyProduct(): Promise<Subject> {
  const ENOUGH = 3
  const { products } = await ask(CandidatesQuery, {})
  const candidates = products.edges.map(({ node }) => node).filter(({ stockQuantity }) => stockQuantity >= ENOUGH)
  return given(candidates[Math.floor(Math.random() * candidates.length)], [])
}

export async function stockOf(productId: string): Promise<number> {
  const { product } = await ask(StockQuery, { id: productId })
  return given(product, []).stockQuantity
}

export async function changeStock(productId: string, change: { setTo: number } | { change: number }, reason: string, admin: string) {
  const { adjustStock } = await ask(AdjustStockMutation, { input: { productId, reason, ...change } }, admin)
  return given(adjustStock.product, adjustStock.userErrors).stockQuantity
}

/** A cart with one of a product. */
export async function fillCart(productId: string, buyer: string): Promise<string> {
  const { addToCart } = await ask(FillCartMutation, { input: { productId, quantity: 1 } }, buyer)
  return given(addToCart.cart, addToCart.userErrors).id
}

export async function placeOrder(cartId: string, paymentMethod: string, buyer: string): Promise<string> {
  const input = { cartId, paymentMethod, shippingAddress: ADDRESS }
  const { checkout } = await ask(PlaceOrderMutation, { input }, buyer)
  return given(checkout.order, checkout.userErrors).id
}

/** Watches an order until it rests, and tells each event once, as it is heard of. */
export async function follow(id: string, buyer: string, tell: (entry: TimelineEntry) => void): Promise<OrderProgress> {
  let told = 0
  return lookUntil(async () => {
    const order = given((await ask(FollowQuery, { id }, buyer)).order, [])
    order.timeline.slice(told).forEach(tell)
    told = order.timeline.length
    return isMoving(order.status) ? null : order
  })
}

export async function sendPoison(admin: string) {
  const { sendPoisonMessage } = await ask(SendPoisonMutation, {}, admin)
  const eventId = given(sendPoisonMessage.eventId, sendPoisonMessage.userErrors)
  return { eventId, queues: sendPoisonMessage.queues }
}

/** Waits until a message lies among the dead letters of as many queues as it was sent into. */
export function deadLettersOf(eventId: string, count: number, admin: string) {
  return lookUntil(async () => {
    const { deadLetters } = await ask(PoisonedQuery, { about: eventId }, admin)
    return deadLetters.items.length >= count ? deadLetters.items : null
  })
}

async function lookUntil<T>(look: () => Promise<T | null>): Promise<T> {
  const end = Date.now() + PATIENCE_MS
  for (;;) {
    const found = await look()
    if (found !== null) return found
    if (Date.now() > end) throw new Hitch('tooSlow')
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
  }
}
