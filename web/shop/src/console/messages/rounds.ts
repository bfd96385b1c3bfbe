/** Which letters one request is about: those named, or all of a queue. */
export interface Batch {
  service: string
  queue?: string
  ids?: string[]
  all?: boolean
}

/** What the gateway answers to one request. */
export interface Handled {
  items: readonly { queue: string }[]
  missing: readonly string[]
  more: boolean
  until: string
}

export interface Progress {
  handled: number
  missing: number
  /** How many of which queue. */
  queues: Map<string, number>
  /** There are more than were looked at. */
  more: boolean
}

/** So many letters are named in one request. */
const IDS_PER_BATCH = 100

/** One request is about one service: letters of several are sorted by it, and cut into portions. */
export function batchesOf(letters: readonly { id: string; service: string }[]): Batch[] {
  const services = [...new Set(letters.map((letter) => letter.service))]
  return services.flatMap((service) => {
    const ids = letters.filter((letter) => letter.service === service).map((letter) => letter.id)
    return Array.from({ length: Math.ceil(ids.length / IDS_PER_BATCH) }, (_, index) => ({
      service,
      ids: ids.slice(index * IDS_PER_BATCH, (index + 1) * IDS_PER_BATCH),
    }))
  })
}

/**
 * Goes through the batches, a round at a time: whatever of a queue is left is asked for again, back to the same moment,
 * so that a letter that comes back is not taken twice. Ends at the first round that fails (`ask` answers null) or when
 * `isStopped` says so; what was handled till then stays handled. Answers whether it came to the end.
 */
export async function runRounds(
  batches: readonly Batch[],
  ask: (batch: Batch, until: string | null) => Promise<Handled | null>,
  { isStopped, tell }: { isStopped: () => boolean; tell: (progress: Progress) => void },
): Promise<boolean> {
  const progress = { handled: 0, missing: 0, queues: new Map<string, number>(), more: false }
  for (const batch of batches) {
    let until: string | null = null
    let hasMore = true
    while (hasMore) {
      if (isStopped()) return false
      const answer = await ask(batch, until)
      if (!answer) return false
      count(progress, answer)
      tell({ ...progress })
      // A round that took nothing would be asked for without end.
      hasMore = answer.more && batch.all === true && answer.items.length > 0
      until = answer.until
    }
  }
  return true
}

/** What would happen: one look at each batch, nothing is repeated since nothing goes away. */
export async function lookAhead(
  batches: readonly Batch[],
  ask: (batch: Batch) => Promise<Handled | null>,
): Promise<Progress | null> {
  const progress = { handled: 0, missing: 0, queues: new Map<string, number>(), more: false }
  for (const batch of batches) {
    const answer = await ask(batch)
    if (!answer) return null
    count(progress, answer)
    progress.more ||= answer.more
  }
  return progress
}

function count(progress: Progress, { items, missing }: Handled) {
  progress.handled += items.length
  progress.missing += missing.length
  for (const { queue } of items) progress.queues.set(queue, (progress.queues.get(queue) ?? 0) + 1)
}
