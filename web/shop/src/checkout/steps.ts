import { faultsOf } from './address'
import type { AddressForm } from './address'

export const STEPS = ['address', 'payment', 'review'] as const
export type Step = (typeof STEPS)[number]

/** What has been entered so far. */
export interface Entered {
  address: AddressForm | null
  paymentMethod: string | null
}

/** The steps that can be gone to: all that are done, and the first that is not. */
export function openSteps({ address, paymentMethod }: Entered): readonly Step[] {
  if (!address || faultsOf(address).length > 0) return ['address']
  return paymentMethod ? STEPS : ['address', 'payment']
}

/** The step that a URL asks for, or the furthest one that is open. */
export function stepOf(wanted: string, entered: Entered): Step {
  const open = openSteps(entered)
  return open.find((step) => step === wanted) ?? open[open.length - 1] ?? 'address'
}
