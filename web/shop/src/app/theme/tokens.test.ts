import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

/** The variables of one theme: those of every `:root` and of the theme's own class. */
function tokens(theme: 'light' | 'dark'): Map<string, string> {
  const css = readFileSync(join(import.meta.dirname, 'tokens.css'), 'utf8').replaceAll(/\/\*[^]*?\*\//g, '')
  const found = new Map<string, string>()
  for (const [, selector = '', body = ''] of css.matchAll(/([.:][^{}]+)\{([^{}]*)\}/g)) {
    if (!selector.includes(':root') && !selector.includes(`.${theme}`)) continue
    for (const [, name = '', value = ''] of body.matchAll(/--([\w-]+):\s*([^;]+);/g)) found.set(name, value.trim())
  }
  return found
}

type Rgb = [number, number, number]

function colour(theme: Map<string, string>, name: string): Rgb {
  const value = theme.get(name)
  if (!value?.match(/^#[\da-f]{6}$/)) throw new Error(`--${name} is ${value ?? 'missing'}`)
  return [1, 3, 5].map((at) => parseInt(value.slice(at, at + 2), 16)) as Rgb
}

/** `front` over `back`, as `bg-primary/10` is. */
const blend = (front: Rgb, back: Rgb, alpha: number) =>
  front.map((value, at) => value * alpha + (back[at] ?? 0) * (1 - alpha)) as Rgb

function luminance(rgb: Rgb): number {
  const [red, green, blue] = rgb.map((value) => {
    const share = value / 255
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
  }) as Rgb
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

function contrast(one: Rgb, other: Rgb): number {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b) as [number, number]
  return (light + 0.05) / (dark + 0.05)
}

const TEXTS = ['ui-text-dimmed', 'ui-text-muted', 'ui-text-toned', 'ui-text', 'ui-text-highlighted']
const GROUNDS = ['ui-bg', 'ui-bg-muted', 'ui-bg-elevated']
const HUES = ['ui-primary', 'ui-success', 'ui-info', 'ui-warning', 'ui-error']

describe.each(['light', 'dark'] as const)('the %s theme', (name) => {
  const theme = tokens(name)
  const of = (token: string) => colour(theme, token)

  it.each(TEXTS.flatMap((text) => GROUNDS.map((ground) => [text, ground])))('%s on %s reads', (text, ground) => {
    expect(contrast(of(text), of(ground))).toBeGreaterThanOrEqual(4.5)
  })

  it.each(HUES)('%s reads as text, as a button, hovered, and on a tint of itself', (hue) => {
    expect(contrast(of('ui-text-inverted'), of(hue))).toBeGreaterThanOrEqual(4.5)
    for (const ground of GROUNDS) {
      expect(contrast(of('ui-text-inverted'), blend(of(hue), of(ground), 0.75))).toBeGreaterThanOrEqual(4.5)
      for (const alpha of [0, 0.1, 0.15]) {
        expect(contrast(of(hue), blend(of(hue), of(ground), alpha)), `${alpha} of it on ${ground}`).toBeGreaterThanOrEqual(4.5)
      }
    }
  })

  it.each(TEXTS)('%s reads where something may be dropped', (text) => {
    expect(contrast(of(text), blend(of('ui-primary'), of('ui-bg'), 0.1))).toBeGreaterThanOrEqual(4.5)
  })

  it('has inverted text that reads', () => {
    expect(contrast(of('ui-text-inverted'), of('ui-bg-inverted'))).toBeGreaterThanOrEqual(7)
  })

  it('has fields whose border is seen on every ground', () => {
    for (const ground of GROUNDS) expect(contrast(of('ui-border-accented'), of(ground))).toBeGreaterThanOrEqual(3)
  })

  it('has a focus ring that is seen on every ground', () => {
    for (const ground of GROUNDS) expect(contrast(of('ui-primary'), of(ground))).toBeGreaterThanOrEqual(3)
  })
})
