import type { MeanInterval } from '../../evaluation/bootstrap';

const minus = (text: string): string => text.replace('-', '−');

/** A measure between 0 and 1, such as AUC. */
export function formatMeasure(value: number): string {
  return minus(value.toFixed(4));
}

/** A difference of measures, with its sign. */
export function formatChange(value: number): string {
  const text = value.toFixed(4);
  if (Number(text) === 0) return '0.0000';
  return value > 0 ? `+${text}` : minus(text);
}

/** A number in three significant digits and three decimals, more where it is smaller still. */
export function formatNumber(value: number): string {
  if (value === 0) return '0';
  const first = -Math.floor(Math.log10(Math.abs(value)));
  const rounded = value.toFixed(
    first > 3 ? Math.min(first, 9) : Math.max(0, Math.min(first + 2, 3)),
  );
  const [whole, part] = rounded.split('.');
  const grouped = whole!.replace(/\B(?=(\d{3})+$)/g, ',');
  return minus(part === undefined ? grouped : `${grouped}.${part}`);
}

/** A whole number, its thousands apart. */
export function formatCount(value: number): string {
  return minus(Math.round(value).toString()).replace(/\B(?=(\d{3})+$)/g, ',');
}

export function formatMs(value: number): string {
  return `${formatNumber(value)} ms`;
}

/** How numbers are written beside an axis that reaches so far: all with as many decimals. */
export function tickFormat(low: number, high: number): (value: number) => string {
  const decimals = Math.ceil(-Math.log10((high - low) / 4));
  const digits = Math.min(Math.max(decimals, 0), 6);
  return (value) => minus((Math.abs(value) < 1e-12 ? 0 : value).toFixed(digits));
}

const units = ['', 'k', 'M', 'G', 'T'];

/** A number with the prefix of a unit: 1.2 M. */
export function formatScaled(value: number): string {
  const power = value < 1 ? 0 : Math.min(Math.floor(Math.log10(value) / 3), units.length - 1);
  return `${formatNumber(value / 1000 ** power)} ${units[power]!}`.trim();
}

export function formatShare(value: number): string {
  const percent = value * 100;
  return `${Number(percent.toFixed(1))}%`;
}

const durations: readonly (readonly [number, string])[] = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1000, 's'],
];

/** A duration in the largest unit that it fills. */
export function formatDuration(ms: number): string {
  const unit = durations.find(([length]) => Math.abs(ms) >= length);
  return unit === undefined ? `${trimmed(ms)} ms` : `${trimmed(ms / unit[0])} ${unit[1]}`;
}

/** A setting's value: no digits that say nothing. */
export function formatSetting(value: number): string {
  return Math.abs(value) >= 1000 ? formatCount(value) : minus(trimmed(value));
}

function trimmed(value: number): string {
  return String(Number(value.toPrecision(3)));
}

export function formatInterval(
  { mean, low, high }: MeanInterval,
  format: (value: number) => string = formatMeasure,
): string {
  return `${format(mean)} (${format(low)} to ${format(high)})`;
}
