import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, gzip } from 'node:zlib'

const FORMS = { br: promisify(brotliCompress), gz: promisify(gzip) }
const TEXT = /\.(js|css|html|svg)$/

/** Below this a compressed answer takes as many packets as a plain one. */
const WORTHWHILE_BYTES = 1024

/**
 * A part of Vite's build: puts compressed forms beside every text that was built. The gateway sends the best one that a
 * browser takes.
 *
 * @returns {import('vite').Plugin}
 */
export function compress() {
  let folder = ''
  return {
    name: 'compress',
    apply: 'build',
    configResolved({ root, build }) {
      folder = join(root, build.outDir)
    },
    async closeBundle() {
      const names = await readdir(folder, { recursive: true })
      await Promise.all(names.filter((name) => TEXT.test(name)).map((name) => compressFile(join(folder, name))))
    },
  }
}

async function compressFile(path) {
  const plain = await readFile(path)
  if (plain.length < WORTHWHILE_BYTES) return
  for (const [extension, form] of Object.entries(FORMS)) await writeFile(`${path}.${extension}`, await form(plain))
}
