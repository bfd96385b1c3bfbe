export type Tone = 'good' | 'busy' | 'undoing' | 'bad' | 'quiet'

export const TONE_CLASSES: Record<Tone, string> = {
  good: 'text-success',
  busy: 'text-info',
  undoing: 'text-warning',
  bad: 'text-error',
  quiet: 'text-muted',
}
