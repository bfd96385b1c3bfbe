const DAY = /^\d{4}-\d{2}-\d{2}$/
const DAY_MS = 86_400_000

/** The moments between which the days from the first to the last lie, as the server wants them; null where nothing is set. */
export function span(first: string, last: string): { from: string | null; to: string | null } {
  return { from: startOf(first, 0), to: startOf(last, 1) }
}

/** When a day begins in UTC, which the figures are counted by, or a day so many days later. */
function startOf(day: string, later: number): string | null {
  const start = DAY.test(day) ? Date.parse(`${day}T00:00:00Z`) : NaN
  return Number.isNaN(start) ? null : new Date(start + later * DAY_MS).toISOString()
}
