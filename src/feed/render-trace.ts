import type { StageTrace } from '../stage-trace';
import { openTable } from '../text-table';
import type { Trace } from './slate';

/**
 * A trace for a person to read: a line a stage with its candidates, its time and what it has to
 * say, then the request as a whole.
 */
export function renderTrace(trace: Trace): string {
  const { totalMs, queueMs, nativeMs, nativeCalls, unknownIds, removedMeanwhile } = trace;
  const counted = [
    ...(unknownIds > 0 ? [`${unknownIds} unknown ids`] : []),
    ...(removedMeanwhile > 0 ? [`${removedMeanwhile} removed meanwhile`] : []),
  ];
  return [
    openTable(
      ['stage', 'kind', 'in → out', 'ms', 'notes'],
      trace.stages.map((stage) => [
        stage.name,
        stage.kind,
        stage.kind === 'generator' ? `→ ${stage.out}` : `${stage.in} → ${stage.out}`,
        stage.ms.toFixed(3),
        notesOf(stage).join('; '),
      ]),
      ['in → out', 'ms'],
    ),
    `${totalMs.toFixed(3)} ms in all: ${queueMs.toFixed(3)} ms waiting for a thread, ` +
      `${nativeMs.toFixed(3)} ms in native code (${nativeCalls} ${nativeCalls === 1 ? 'call' : 'calls'})`,
    ...(counted.length > 0 ? [counted.join(', ')] : []),
  ].join('\n');
}

function notesOf({ skipped, shortfalls, notes }: StageTrace): string[] {
  return [
    ...(skipped === undefined ? [] : [`skipped: ${skipped}`]),
    ...shortfalls.map((shortfall) => `fell short: ${shortfall}`),
    ...notes,
  ];
}
