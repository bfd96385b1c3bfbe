/** What an account's fields may be, as the server has it; checked here so that the answer stands beside the field at once. */
const EMAIL = /^[^\s@]+@[^\s@]+$/
const MIN_PASSWORD_CHARS = 8
const MAX_PASSWORD_BYTES = 72
const MAX_USERNAME_CHARS = 64
const MAX_EMAIL_CHARS = 254

export type AccountField = 'email' | 'username' | 'password' | 'newPassword'

/** Keys of the texts below `account.errors`, by field; empty if all is well. */
export function faultsOf(fields: Partial<Record<AccountField, string>>): { name: AccountField; key: string }[] {
  const rules: Record<AccountField, (value: string) => boolean> = {
    email: (value) => EMAIL.test(value.trim()) && value.length <= MAX_EMAIL_CHARS,
    username: (value) => value.trim().length > 0 && value.length <= MAX_USERNAME_CHARS,
    password: isPassword,
    newPassword: isPassword,
  }
  return (Object.entries(fields) as [AccountField, string][])
    .filter(([name, value]) => !rules[name](value))
    .map(([name]) => ({ name, key: `account.errors.${name}` }))
}

function isPassword(value: string): boolean {
  return [...value].length >= MIN_PASSWORD_CHARS && new TextEncoder().encode(value).length <= MAX_PASSWORD_BYTES
}
