/** Exact sums of money as whole minor units: decimal strings in, decimal strings out, no float between. */

const AMOUNT = /^(-?\d{1,15})(?:[.,](\d{1,3}))?$/

/** How many digits an amount of the currency has behind the point, told by an amount that the server sent. */
export const digitsOf = (amount: string) => amount.split('.')[1]?.length ?? 0

/** Null if that is no amount, or one of more digits. */
export function toMinor(amount: string, digits: number): bigint | null {
  const [, whole, fraction = ''] = AMOUNT.exec(amount.trim()) ?? []
  if (whole === undefined || fraction.length > digits) return null
  return BigInt(whole + fraction.padEnd(digits, '0'))
}

export function fromMinor(minor: bigint, digits: number): string {
  if (digits === 0) return String(minor)
  const sign = minor < 0n ? '-' : ''
  const text = String(minor < 0n ? -minor : minor).padStart(digits + 1, '0')
  return `${sign}${text.slice(0, -digits)}.${text.slice(-digits)}`
}

/** What is left of `amount` after `taken`, never below zero. */
export function remaining(amount: string, taken: string): string {
  const digits = Math.max(digitsOf(amount), digitsOf(taken))
  const left = (toMinor(amount, digits) ?? 0n) - (toMinor(taken, digits) ?? 0n)
  return fromMinor(left > 0n ? left : 0n, digits)
}

/** What somebody typed, as the server writes it; null if it is no amount above zero, or more than `limit`. */
export function parseAmount(text: string, limit: string): string | null {
  const digits = digitsOf(limit)
  const minor = toMinor(text, digits)
  if (minor === null || minor <= 0n || minor > (toMinor(limit, digits) ?? 0n)) return null
  return fromMinor(minor, digits)
}
