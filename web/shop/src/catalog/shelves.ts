/** What the two shelves of the home page hold, as searches: they fill themselves from any catalogue of drinks. */
export const SHELVES = { evening: 'Bordeaux or Riesling', morning: 'espresso or breakfast' }

/** One picture of each shelf, for the first screen: what the shop is about, in a glance. */
export function heroProducts<Product>(evening: readonly Product[], morning: readonly Product[]): Product[] {
  return [morning[0], evening[2], evening[0]].filter((product) => product !== undefined)
}
