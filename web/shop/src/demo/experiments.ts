import type { RouteLocationRaw } from 'vue-router'
import type { TimelineEntry } from '@/orders/progress'
import type { Money } from '@/ui/useFormat'
import {
  adminOf,
  anyProduct,
  changeStock,
  deadLettersOf,
  fillCart,
  follow,
  newBuyer,
  placeOrder,
  sendPoison,
  stockOf,
} from './actors'
import type { Subject } from './actors'

export const EXPERIMENTS = ['decline', 'lostAnswer', 'lastUnit', 'poison'] as const
export type ExperimentName = (typeof EXPERIMENTS)[number]

type Values = Record<string, string | number | Money>

/** A line of what happened: words below `demo.note`, or an event of the services. */
export type Note =
  | { kind: 'note'; key: string; values?: Values; isResult?: boolean; to?: RouteLocationRaw }
  | { kind: 'event'; event: string; service: string; who?: number }

export type Tell = (note: Note) => void

export interface Admin {
  email: string
  password: string
}

const note = (key: string, values?: Values) => ({ kind: 'note' as const, key, values })
const result = (key: string, values?: Values) => ({ ...note(key, values), isResult: true })
const eventOf = ({ event, service }: TimelineEntry, who?: number): Note => ({ kind: 'event', event, service, who })

/** One order from cart to its end, told as it goes. */
async function order(productId: string, paymentMethod: string, tell: Tell) {
  const buyer = await newBuyer()
  const id = await placeOrder(await fillCart(productId, buyer), paymentMethod, buyer)
  return follow(id, buyer, (entry) => tell(eventOf(entry)))
}

async function decline(tell: Tell) {
  const product = await anyProduct()
  tell(note('before', { name: product.name, stock: product.stockQuantity }))
  const { status } = await order(product.id, 'pm_card_chargeDeclined', tell)
  tell(note('ended', { status }))
  tell(result('sameStock', { name: product.name, stock: await stockOf(product.id) }))
}

async function lostAnswer(tell: Tell) {
  const product = await anyProduct()
  tell(note('before', { name: product.name, stock: product.stockQuantity }))
  tell(note('lineDrops'))
  const { status, payments } = await order(product.id, 'pm_test_timeout', tell)
  tell(note('ended', { status }))
  for (const { captured } of payments) tell(result('chargedOnce', { n: payments.length, amount: captured }))
  tell(result('oneLess', { stock: await stockOf(product.id) }))
}

async function lastUnit(tell: Tell, login: Admin) {
  const [product, admin] = await Promise.all([anyProduct(), adminOf(login)])
  await changeStock(product.id, { setTo: 1 }, 'Demonstration: the last one', admin)
  tell(note('onlyOne', { name: product.name, stock: product.stockQuantity }))
  // Whatever goes wrong: nobody should find the shelf emptied by a demonstration.
  try {
    await raceFor(product, tell)
  } finally {
    await changeStock(product.id, { change: product.stockQuantity - 1 }, 'Demonstration: back to what there was', admin)
  }
  tell(note('restored'))
}

/** Two buyers order the same thing at once. */
async function raceFor(product: Subject, tell: Tell) {
  const buyers = await Promise.all([newBuyer(), newBuyer()])
  const carts = await Promise.all(buyers.map((buyer) => fillCart(product.id, buyer)))
  tell(note('bothHaveIt'))
  const outcomes = await Promise.all(
    buyers.map(async (buyer, index) => {
      const id = await placeOrder(carts[index] ?? '', 'pm_card_visa', buyer)
      return follow(id, buyer, (entry) => tell(eventOf(entry, index + 1)))
    }),
  )
  const winners = outcomes.filter(({ status }) => status === 'CONFIRMED').length
  tell(result('oneWon', { winners, losers: outcomes.length - winners }))
  tell(result('stockIs', { stock: await stockOf(product.id) }))
}

async function poison(tell: Tell, login: Admin) {
  const admin = await adminOf(login)
  const { eventId, queues } = await sendPoison(admin)
  tell(note('sent', { queues: queues.join(', ') }))
  const letters = await deadLettersOf(eventId, queues.length, admin)
  for (const { id, service, queue, reason } of letters) {
    tell({ ...note('parked', { service, reason }), to: { name: 'console-dead-letter', params: { service, queue, id } } })
  }
  tell(note('meanwhile'))
  const { status } = await order((await anyProduct()).id, 'pm_card_visa', tell)
  tell(result('stillSells', { status }))
}

export const run: Record<ExperimentName, (tell: Tell, admin: Admin) => Promise<void>> = {
  decline,
  lostAnswer,
  lastUnit,
  poison,
}
