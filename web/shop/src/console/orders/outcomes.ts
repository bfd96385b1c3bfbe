import type { Tone } from '../parts/tones'

interface Look {
  icon: string
  tone: Tone
}

const UNKNOWN: Look = { icon: 'i-lucide-circle-help', tone: 'quiet' }

/** How an order's state looks; STUCK is a saga's only. */
const STATUS_LOOKS: Record<string, Look> = {
  PENDING: { icon: 'i-lucide-circle-dashed', tone: 'busy' },
  CART_VALIDATED: { icon: 'i-lucide-circle-dashed', tone: 'busy' },
  INVENTORY_RESERVED: { icon: 'i-lucide-circle-dot-dashed', tone: 'busy' },
  PAYMENT_PROCESSED: { icon: 'i-lucide-circle-dot-dashed', tone: 'busy' },
  CONFIRMED: { icon: 'i-lucide-circle-check', tone: 'good' },
  SHIPPED: { icon: 'i-lucide-truck', tone: 'good' },
  DELIVERED: { icon: 'i-lucide-package-check', tone: 'good' },
  FAILED: { icon: 'i-lucide-undo-2', tone: 'undoing' },
  COMPENSATED: { icon: 'i-lucide-circle-slash', tone: 'quiet' },
  CANCELLING: { icon: 'i-lucide-undo-2', tone: 'undoing' },
  CANCELLED: { icon: 'i-lucide-ban', tone: 'quiet' },
  STUCK: { icon: 'i-lucide-octagon-alert', tone: 'bad' },
}

/** How the way of an event through a queue looks. */
const DELIVERY_LOOKS: Record<string, Look> = {
  applied: { icon: 'i-lucide-check', tone: 'good' },
  waiting: { icon: 'i-lucide-clock', tone: 'busy' },
  retrying: { icon: 'i-lucide-rotate-cw', tone: 'undoing' },
  dead: { icon: 'i-lucide-octagon-x', tone: 'bad' },
  skipped: { icon: 'i-lucide-ban', tone: 'quiet' },
}

export const ORDER_STATUSES = [
  'PENDING',
  'CART_VALIDATED',
  'INVENTORY_RESERVED',
  'PAYMENT_PROCESSED',
  'CONFIRMED',
  'SHIPPED',
  'DELIVERED',
  'FAILED',
  'COMPENSATED',
  'CANCELLING',
  'CANCELLED',
] as const

export type OrderStatus = (typeof ORDER_STATUSES)[number]

/** States in which an order stays until somebody does something. */
const AT_REST = new Set<string>(['CONFIRMED', 'SHIPPED', 'DELIVERED', 'COMPENSATED', 'CANCELLED'])

export const isAtRest = (status: string) => AT_REST.has(status)
export const lookOfStatus = (status: string) => STATUS_LOOKS[status] ?? UNKNOWN
export const lookOfDelivery = (outcome: string) => DELIVERY_LOOKS[outcome] ?? UNKNOWN

/** How a payment looks. */
const PAYMENT_LOOKS: Record<string, Look> = {
  PENDING: { icon: 'i-lucide-circle-dashed', tone: 'busy' },
  AUTHORIZED: { icon: 'i-lucide-circle-dot-dashed', tone: 'busy' },
  CAPTURED: { icon: 'i-lucide-circle-check', tone: 'good' },
  DECLINED: { icon: 'i-lucide-circle-x', tone: 'bad' },
  FAILED: { icon: 'i-lucide-circle-x', tone: 'bad' },
  REFUNDED: { icon: 'i-lucide-undo-2', tone: 'quiet' },
  PARTIALLY_REFUNDED: { icon: 'i-lucide-undo-2', tone: 'quiet' },
}

export const lookOfPayment = (status: string) => PAYMENT_LOOKS[status] ?? UNKNOWN

/** States of a payment or a refund that the provider has still to decide. */
const UNDECIDED = new Set(['PENDING', 'AUTHORIZED'])

export const isDecided = ({ status }: { status: string }) => !UNDECIDED.has(status)
