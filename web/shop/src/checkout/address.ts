import type { ResultOf } from '@/graphql/tada'
import type { AddressFields } from './documents'

/** An address as a form has it: every field is text, empty where there is nothing. */
export interface AddressForm {
  fullName: string
  line1: string
  line2: string
  postalCode: string
  city: string
  countryCode: string
  phone: string
}

export type Address = ResultOf<typeof AddressFields>
export type AddressField = keyof AddressForm

/** Where we send parcels; the shop sells in euros. */
export const COUNTRIES = [
  'AT', 'BE', 'CH', 'CZ', 'DE', 'DK', 'ES', 'FI', 'FR', 'GB', 'IE', 'IT', 'LU', 'NL', 'NO', 'PL', 'PT', 'SE',
] as const

const LONGEST: Record<AddressField, number> = {
  fullName: 200,
  line1: 200,
  line2: 200,
  postalCode: 20,
  city: 100,
  countryCode: 2,
  phone: 40,
}

const OPTIONAL: readonly AddressField[] = ['line2', 'phone']
const FIELDS = Object.keys(LONGEST) as AddressField[]

export const emptyAddress = (): AddressForm => ({
  fullName: '',
  line1: '',
  line2: '',
  postalCode: '',
  city: '',
  countryCode: 'DE',
  phone: '',
})

/** Keys of the texts below `checkout.errors`, by field; empty if parcels can go there. */
export function faultsOf(address: AddressForm): { name: AddressField; key: string }[] {
  return FIELDS.filter((name) => {
    const text = address[name].trim()
    return text.length > LONGEST[name] || (text === '' && !OPTIONAL.includes(name))
  }).map((name) => ({ name, key: `checkout.errors.${name}` }))
}

/** As the server takes it: no blanks around, nothing instead of an empty extra. */
export function toInput(form: AddressForm): Address {
  const trimmed = Object.fromEntries(FIELDS.map((name) => [name, form[name].trim()])) as unknown as AddressForm
  return { ...trimmed, line2: trimmed.line2 || null, phone: trimmed.phone || null }
}

export function toForm(address: Address): AddressForm {
  return { ...address, line2: address.line2 ?? '', phone: address.phone ?? '' }
}
