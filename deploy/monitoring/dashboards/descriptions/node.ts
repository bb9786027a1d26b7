import type { Description } from '../dashboard.ts'
import { graph } from '../panels.ts'
import { rate, series, sum } from '../promql.ts'

export default {
  title: 'Node',
  description: 'The processes: event loop, memory, garbage collection, processor.',
  rows: {
    'Event loop and processor': [
      graph('Event loop delay (p99)', {
        unit: 's',
        description: 'About 10 ms means no lag: it is the resolution of the measurement.',
        queries: { '{{instance}}': series('nodejs_eventloop_lag_p99_seconds') },
        thresholds: { bad: 0.2 },
      }),
      graph('Event loop delay (maximum)', {
        unit: 's',
        queries: { '{{instance}}': series('nodejs_eventloop_lag_max_seconds') },
      }),
      graph('CPU by instance', {
        unit: 'percentunit',
        description: 'Of one core.',
        queries: {
          '{{instance}} user': rate('process_cpu_user_seconds_total'),
          '{{instance}} system': rate('process_cpu_system_seconds_total'),
        },
      }),
    ],
    Memory: [
      graph('Memory used', {
        unit: 'bytes',
        queries: {
          '{{instance}} used': series('process_resident_memory_bytes'),
          '{{instance}} limit': series('process_memory_limit_bytes'),
        },
      }),
      graph('JavaScript heap', {
        unit: 'bytes',
        queries: {
          '{{instance}} used': series('nodejs_heap_size_used_bytes'),
          '{{instance}} total': series('nodejs_heap_size_total_bytes'),
        },
      }),
      graph('Memory outside the heap (buffers)', {
        unit: 'bytes',
        queries: { '{{instance}}': series('nodejs_external_memory_bytes') },
      }),
      graph('JavaScript heap by space', {
        unit: 'bytes',
        queries: { '{{space}}': sum('space', series('nodejs_heap_space_size_used_bytes')) },
        stack: true,
      }),
      graph('Share of time in garbage collection', {
        unit: 'percentunit',
        queries: { '{{instance}} {{kind}}': rate('nodejs_gc_duration_seconds_sum') },
      }),
      graph('Garbage collections per second', {
        unit: 'ops',
        queries: { '{{instance}} {{kind}}': rate('nodejs_gc_duration_seconds_count') },
      }),
    ],
    Process: [
      graph('Uptime', {
        unit: 's',
        queries: { '{{instance}}': `time() - ${series('process_start_time_seconds')}` },
      }),
      graph('Open files', {
        unit: 'short',
        queries: { '{{instance}}': series('process_open_fds') },
      }),
      graph('Active handles by type', {
        unit: 'short',
        queries: { '{{type}}': sum('type', series('nodejs_active_resources')) },
      }),
      graph('Log lines lost', {
        unit: 'ops',
        queries: { '{{instance}}': rate('log_lines_dropped_total') },
      }),
    ],
  },
} satisfies Description
