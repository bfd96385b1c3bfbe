export interface Token {
  kind: 'key' | 'string' | 'literal' | 'plain'
  text: string
}

const TOKEN = /("(?:[^"\\]|\\.)*")(\s*:)?|(true|false|null|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)/g

/** A JSON text, indented and cut into what is to look different. What does not parse is one plain token. */
export function tokens(text: string): Token[] {
  const pretty = indented(text)
  if (pretty === null) return [{ kind: 'plain', text }]
  const found: Token[] = []
  let end = 0
  for (const match of pretty.matchAll(TOKEN)) {
    if (match.index > end) found.push({ kind: 'plain', text: pretty.slice(end, match.index) })
    const [whole, string, colon] = match
    found.push({ kind: colon ? 'key' : string ? 'string' : 'literal', text: whole })
    end = match.index + whole.length
  }
  if (end < pretty.length) found.push({ kind: 'plain', text: pretty.slice(end) })
  return found
}

function indented(text: string): string | null {
  try {
    return JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    return null
  }
}
