import type { RouteRecordRaw } from 'vue-router'

export const orderRoutes: RouteRecordRaw[] = []
