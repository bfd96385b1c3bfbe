import { BarChart } from 'echarts/charts'
import { GridComponent, TooltipComponent } from 'echarts/components'
import { init, use } from 'echarts/core'
import type { EChartsCoreOption } from 'echarts/core'
import { CanvasRenderer } from 'echarts/renderers'

// Canvas, not SVG: what the SVG renderer writes as style attributes the content security policy refuses.
use([BarChart, GridComponent, TooltipComponent, CanvasRenderer])

export { init as initChart }
export type { ECharts as Chart } from 'echarts/core'

/** The colours of the theme that is on, as a canvas needs them. */
export interface Palette {
  bar: string
  text: string
  muted: string
  line: string
  ground: string
  font: string
}

export function readPalette(): Palette {
  const style = getComputedStyle(document.documentElement)
  const token = (name: string) => style.getPropertyValue(name).trim()
  return {
    bar: token('--ui-primary'),
    text: token('--ui-text-highlighted'),
    muted: token('--ui-text-muted'),
    line: token('--ui-border-muted'),
    ground: token('--ui-bg'),
    font: getComputedStyle(document.body).fontFamily,
  }
}

export interface BarSeries {
  labels: readonly string[]
  values: readonly number[]
  /** A value as it is read beside a bar. */
  format: (value: number) => string
  /** A round value at the axis, short. */
  axis: (value: number) => string
}

/** Bars over time: no more ink than a reader needs. */
export function barOption({ labels, values, format, axis }: BarSeries, palette: Palette): EChartsCoreOption {
  const text = { color: palette.muted, fontFamily: palette.font, fontSize: 12 }
  return {
    animation: false,
    grid: { left: 4, right: 4, top: 12, bottom: 4, containLabel: true },
    xAxis: {
      type: 'category',
      data: [...labels],
      axisLabel: { ...text, hideOverlap: true },
      axisLine: { lineStyle: { color: palette.line } },
      axisTick: { show: false },
    },
    yAxis: {
      type: 'value',
      minInterval: 1,
      splitNumber: 3,
      axisLabel: { ...text, formatter: axis },
      splitLine: { lineStyle: { color: palette.line } },
    },
    series: [{ type: 'bar', data: [...values], barMaxWidth: 28, itemStyle: { color: palette.bar, borderRadius: [2, 2, 0, 0] } }],
    tooltip: {
      trigger: 'axis',
      // As HTML it would carry style attributes, which the content security policy refuses.
      renderMode: 'richText',
      axisPointer: { type: 'shadow', shadowStyle: { color: palette.line, opacity: 0.6 } },
      backgroundColor: palette.ground,
      borderColor: palette.line,
      textStyle: { ...text, color: palette.text },
      formatter: (points: { name: string; value: number }[]) =>
        points.map(({ name, value }) => `${name}: ${format(value)}`).join('\n'),
    },
  }
}
