import { describe, expect, it } from 'vitest'

type Texts = { [key: string]: string | Texts }

// As they are written: the build turns them into compiled messages.
const written = import.meta.glob<string>('../../**/i18n/*.json', { eager: true, import: 'default', query: '?raw' })
const files = Object.fromEntries(Object.entries(written).map(([path, text]) => [path, JSON.parse(text) as Texts]))
const folders = [...new Set(Object.keys(files).map((path) => path.replace(/[^/]+$/, '')))]

function flat(texts: Texts, prefix = ''): Map<string, string> {
  return new Map(
    Object.entries(texts).flatMap(([key, value]) =>
      typeof value === 'string' ? [[`${prefix}${key}`, value] as const] : [...flat(value, `${prefix}${key}.`)],
    ),
  )
}

const placeholders = (text: string) => [...new Set(text.match(/\{\w+\}/g) ?? [])].sort()

describe.each(folders)('the texts in %s', (folder) => {
  const [en, de] = ['en', 'de'].map((locale) => flat(files[`${folder}${locale}.json`] ?? {})) as [
    Map<string, string>,
    Map<string, string>,
  ]

  it('exist in both languages', () => {
    expect([...de.keys()].sort()).toEqual([...en.keys()].sort())
  })

  it('stand below the name of their domain', () => {
    const names = new Set([...en.keys()].map((key) => key.split('.')[0]))
    expect(names.size).toBeLessThanOrEqual(1)
  })

  it('are not empty, and have the same gaps to fill', () => {
    for (const [key, text] of en) {
      expect(text.trim(), key).not.toBe('')
      expect(de.get(key)?.trim(), key).not.toBe('')
      expect(placeholders(de.get(key) ?? ''), key).toEqual(placeholders(text))
    }
  })
})
