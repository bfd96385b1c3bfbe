/**
 * The built-in test provider's methods, named as Stripe's test methods are. The first two mean the same to Stripe, the
 * others are for trying out what a shop has to bear. Their names for people are texts: `checkout.methods`.
 */
export const PAYMENT_METHODS = [
  'pm_card_visa',
  'pm_card_chargeDeclined',
  'pm_test_slow',
  'pm_test_timeout',
  'pm_test_error',
] as const

export type PaymentMethod = (typeof PAYMENT_METHODS)[number]

export const isPaymentMethod = (text: string): text is PaymentMethod =>
  (PAYMENT_METHODS as readonly string[]).includes(text)
