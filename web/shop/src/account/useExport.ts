import { useClientHandle } from '@urql/vue'
import type { CombinedError } from '@urql/core'
import { shallowRef } from 'vue'
import { ExportQuery } from './documents'

/** Everything that the shop keeps about the visitor, as a file. */
export function useExport() {
  const { client } = useClientHandle()
  const fault = shallowRef<CombinedError>()

  async function download() {
    const { data, error } = await client.query(ExportQuery, {}, { requestPolicy: 'network-only' })
    fault.value = error
    if (data) save(data.exportMyData, 'prost-my-data.json')
  }

  return { download, fault }
}

function save(text: string, name: string) {
  const url = URL.createObjectURL(new Blob([text], { type: 'application/json' }))
  const link = Object.assign(document.createElement('a'), { href: url, download: name })
  link.click()
  URL.revokeObjectURL(url)
}
