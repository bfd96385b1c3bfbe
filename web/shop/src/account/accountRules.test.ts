import { describe, expect, it } from 'vitest'
import { faultsOf } from './accountRules'

const good = { email: 'ada@prost.example', username: 'Ada', password: '12345678' }
const namesOf = (fields: Parameters<typeof faultsOf>[0]) => faultsOf(fields).map(({ name }) => name)

describe('the rules of an account', () => {
  it('let a proper one pass', () => {
    expect(faultsOf(good)).toEqual([])
  })

  it('name each field that is to blame', () => {
    expect(namesOf({ email: 'ada', username: '  ', password: '1234567' })).toEqual(['email', 'username', 'password'])
  })

  it('count a password in characters below, in bytes above', () => {
    expect(namesOf({ password: 'ä'.repeat(8) })).toEqual([])
    expect(namesOf({ password: 'ä'.repeat(37) })).toEqual(['password'])
    expect(namesOf({ password: 'a'.repeat(72) })).toEqual([])
  })

  it('say nothing of fields that were not asked about', () => {
    expect(namesOf({ newPassword: 'short' })).toEqual(['newPassword'])
  })
})
