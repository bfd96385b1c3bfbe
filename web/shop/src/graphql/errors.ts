import type { CombinedError } from '@urql/core'

/** Why something did not happen, as data: what a shopper can act on. */
export interface UserError {
  code: string
  field: string[] | null
  message: string
}

/** Does a fault carry this code, e.g. `UNAUTHENTICATED`? */
export function hasCode(error: CombinedError, code: string): boolean {
  return error.graphQLErrors.some((fault) => fault.extensions.code === code)
}

/** The errors that belong to fields, in the shape that Nuxt UI's form takes: `form.setErrors(fieldErrors(errors))`. */
export function fieldErrors(errors: readonly UserError[], translate: (error: UserError) => string) {
  return errors
    .filter((error) => error.field?.length)
    .map((error) => ({ name: (error.field ?? []).join('.'), message: translate(error) }))
}

/** The errors that belong to no field: they are said beside the button. */
export function generalErrors(errors: readonly UserError[]): UserError[] {
  return errors.filter((error) => !error.field?.length)
}
