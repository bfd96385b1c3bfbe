const formats = new Map<string, Intl.NumberFormat>()

/** A way of writing numbers; the same one for all the prices of a page, since it takes long to be made. */
export function numberFormat(region: string, options: Intl.NumberFormatOptions = {}) {
  const key = region + JSON.stringify(options)
  const format = formats.get(key) ?? new Intl.NumberFormat(region, options)
  formats.set(key, format)
  return format
}

/** Whose customs of writing numbers and dates apply to a language. */
export const regionOf = (locale: string) => (locale === 'de' ? 'de-DE' : 'en-IE')
