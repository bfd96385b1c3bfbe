import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { contentSecurityPolicy } from '../../scripts/contentSecurityPolicy.js'

const site = readFileSync(join(import.meta.dirname, '../../../../gateway/src/site.rs'), 'utf8')

it('previews under the policy that the gateway sends', () => {
  const [, literal] = /const POLICY: HeaderValue = HeaderValue::from_static\(\s*"([^"]+)"/.exec(site) ?? []
  // A backslash at the end of a line swallows the break and what the next line is indented by.
  expect(literal?.replace(/\\\n\s*/g, '')).toBe(contentSecurityPolicy)
})

it('runs no script that is not a file of the shop', () => {
  const [scripts] = /script-src[^;]*/.exec(contentSecurityPolicy) ?? []
  expect(scripts).toBe("script-src 'self'")
})
