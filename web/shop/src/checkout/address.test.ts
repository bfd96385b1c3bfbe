import { describe, expect, it } from 'vitest'
import { emptyAddress, faultsOf, toForm, toInput } from './address'

const ada = { ...emptyAddress(), fullName: ' Ada Lovelace ', line1: 'Hauptstr. 1', postalCode: '10115', city: 'Berlin' }
const namesOf = (address: typeof ada) => faultsOf(address).map(({ name }) => name)

describe('an address', () => {
  it('is good when everything needed is there', () => {
    expect(faultsOf(ada)).toEqual([])
  })

  it('names what is missing, in the order of the form', () => {
    expect(namesOf(emptyAddress())).toEqual(['fullName', 'line1', 'postalCode', 'city'])
    expect(namesOf({ ...ada, city: '   ' })).toEqual(['city'])
  })

  it('names what is longer than the server takes', () => {
    expect(namesOf({ ...ada, phone: '1'.repeat(41), postalCode: '1'.repeat(21) })).toEqual(['postalCode', 'phone'])
  })

  it('goes to the server tidily, and comes back the same', () => {
    const sent = toInput(ada)
    expect(sent).toMatchObject({ fullName: 'Ada Lovelace', line2: null, phone: null, countryCode: 'DE' })
    expect(toInput(toForm(sent))).toEqual(sent)
  })
})
