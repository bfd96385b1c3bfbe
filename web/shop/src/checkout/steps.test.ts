import { describe, expect, it } from 'vitest'
import { emptyAddress } from './address'
import { openSteps, stepOf } from './steps'

const address = { ...emptyAddress(), fullName: 'Ada', line1: 'Hauptstr. 1', postalCode: '10115', city: 'Berlin' }

describe('the steps of the checkout', () => {
  it('open one after the other', () => {
    expect(openSteps({ address: null, paymentMethod: null })).toEqual(['address'])
    expect(openSteps({ address, paymentMethod: null })).toEqual(['address', 'payment'])
    expect(openSteps({ address, paymentMethod: 'pm_card_visa' })).toEqual(['address', 'payment', 'review'])
  })

  it('lead a link that comes too early to what is still to be done', () => {
    expect(stepOf('review', { address: null, paymentMethod: 'pm_card_visa' })).toBe('address')
    expect(stepOf('review', { address, paymentMethod: null })).toBe('payment')
    expect(stepOf('review', { address: { ...address, city: '' }, paymentMethod: 'pm_card_visa' })).toBe('address')
  })

  it('lead back wherever one wants', () => {
    expect(stepOf('address', { address, paymentMethod: 'pm_card_visa' })).toBe('address')
    expect(stepOf('', { address: null, paymentMethod: null })).toBe('address')
  })
})
