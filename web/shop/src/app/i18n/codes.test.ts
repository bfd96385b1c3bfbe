import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const ROOT = join(import.meta.dirname, '../../../../..')

/** Whose refusals a page can meet, and below which domains' `errors` their words may stand. */
const SOURCES: Record<string, string[]> = {
  'crates/service/src': ['ui'],
  'services/cart/src': ['cart', 'checkout'],
  'services/orders/src': ['console'],
  'services/payments/src': ['console'],
  'services/products/src': ['console'],
  'services/users/src': ['account', 'console'],
}

/** What no page meets: it concerns callers of the REST interface, or is asked by nothing here. */
const UNMET = [
  'INCOMPLETE_BODY',
  'INVALID_CURSOR',
  'INVALID_PATH',
  'INVALID_QUERY',
  'MALFORMED_JSON',
  'PAYLOAD_TOO_LARGE',
  'PRECONDITION_REQUIRED',
  'TIMED_OUT',
  'UNSUPPORTED_MEDIA_TYPE',
]

const CONSTRUCTORS = /\b(?:bad_request|not_found|conflict|unprocessable|Error::new)\(\s*(?:StatusCode::\w+,\s*)?"([a-z]+(?:_[a-z]+)+)"/g

/** The codes that the Rust sources of a folder refuse with, tests aside. */
function codesIn(folder: string): string[] {
  const files = readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).filter(
    (path) => path.endsWith('.rs') && !path.includes('tests'),
  )
  const codes = files.flatMap((path) => {
    const [source = ''] = readFileSync(join(ROOT, folder, path), 'utf8').split('#[cfg(test)]')
    return [...source.matchAll(CONSTRUCTORS)].map(([, code = '']) => code.toUpperCase())
  })
  return [...new Set(codes)].filter((code) => !UNMET.includes(code)).sort()
}

function errorsOf(domain: string, locale: string): object {
  const path = join(import.meta.dirname, `../../${domain}/i18n/${locale}.json`)
  return JSON.parse(readFileSync(path, 'utf8'))[domain].errors
}

describe.each(Object.entries(SOURCES))('what %s refuses', (folder, domains) => {
  it.each(codesIn(folder))('%s has words in both languages', (code) => {
    for (const locale of ['en', 'de']) {
      const known = ['ui', ...domains].filter((domain) => code in errorsOf(domain, locale))
      expect(known, locale).not.toEqual([])
    }
  })
})
