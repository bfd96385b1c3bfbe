const TRACE_ID_BYTES = 16
const SPAN_ID_BYTES = 8

const randomHex = (bytes: number) =>
  Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (byte) => byte.toString(16).padStart(2, '0')).join('')

/**
 * Where a trace (W3C) begins: every event that a request causes carries it, through all services, and an operator finds
 * by it what a shopper's click has done. It says nothing about who clicked.
 */
export function newTrace(): string {
  return `00-${randomHex(TRACE_ID_BYTES)}-${randomHex(SPAN_ID_BYTES)}-01`
}
