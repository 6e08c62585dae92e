/** What takes room on a drawing, in pixels. */
export interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** A point that wants a label beside it. */
export interface Labelled {
  readonly x: number;
  readonly y: number;
  /** Of the label, in pixels. */
  readonly width: number;
}

/** Where a label's text begins, and whether a line must say what it belongs to. */
export interface LabelPlace {
  readonly x: number;
  /** The middle of its height. */
  readonly y: number;
  readonly far: boolean;
}

const height = 13;
const near = 8;

/** What labels keep off: `lines` always, `whiskers` where there is room beside them. */
export interface Taken {
  readonly lines: readonly Box[];
  readonly whiskers: readonly Box[];
}

/**
 * Finds room for labels: each as near its point as it gets without lying on another label or on a
 * point, the first ones first. `undefined` where there is none.
 */
export function placeLabels(
  points: readonly Labelled[],
  bounds: Box,
  { lines, whiskers }: Taken,
): (LabelPlace | undefined)[] {
  const full = [...lines, ...points.map(({ x, y }) => around(x, y, 4))];
  return points.map((point) => {
    const free = (place: LabelPlace, others: readonly Box[]): boolean => {
      const box = boxOf(place, point.width);
      return within(box, bounds) && !others.some((other) => overlap(box, other));
    };
    const all = [...full, ...whiskers];
    // Without a line that says so, a label must lie nearer its own point than another.
    const others = points
      .filter((other) => other !== point)
      .map(({ x, y }) => around(x, y, near + 4));
    const place =
      beside(point).find((each) => free(each, [...all, ...others])) ??
      onRings(point, 18, 40).find((each) => free(each, all)) ??
      beside(point).find((each) => free(each, [...full, ...others])) ??
      onRings(point, 18, 170).find((each) => free(each, full));
    if (place !== undefined) full.push(boxOf(place, point.width));
    return place;
  });
}

function beside({ x, y, width }: Labelled): LabelPlace[] {
  const heights = [0, -9, 9].map((shift) => y + shift);
  return heights.flatMap((at) => [
    { x: x + near, y: at, far: false },
    { x: x - near - width, y: at, far: false },
  ]);
}

/** Places on rings, but for those straight above and below, where whiskers lie. */
function onRings({ x, y, width }: Labelled, least: number, most: number): LabelPlace[] {
  const places: LabelPlace[] = [];
  for (let radius = least; radius <= most; radius += 6) {
    for (let turn = 0; turn < 16; turn += 1) {
      const angle = (turn * Math.PI) / 8;
      const across = Math.cos(angle);
      if (Math.abs(across) < 0.3) continue;
      // A label's near end is on the side of its point.
      const left = across > 0 ? x + across * radius : x + across * radius - width;
      places.push({ x: left, y: y - Math.sin(angle) * radius, far: true });
    }
  }
  return places;
}

function boxOf({ x, y }: LabelPlace, width: number): Box {
  return { left: x - 1, right: x + width + 1, top: y - height / 2, bottom: y + height / 2 };
}

function around(x: number, y: number, radius: number): Box {
  return { left: x - radius, right: x + radius, top: y - radius, bottom: y + radius };
}

function within(box: Box, bounds: Box): boolean {
  return (
    box.left >= bounds.left &&
    box.right <= bounds.right &&
    box.top >= bounds.top &&
    box.bottom <= bounds.bottom
  );
}

function overlap(a: Box, b: Box): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}

/** Positions for texts one under another, as near to where they want to be as their height lets them. */
export function spreadApart(wanted: readonly number[], apart: number, most: number): number[] {
  const order = wanted.map((_, i) => i).sort((a, b) => wanted[a]! - wanted[b]!);
  const places = [...wanted];
  let last = -Infinity;
  for (const i of order) {
    places[i] = Math.max(wanted[i]!, last + apart);
    last = places[i];
  }
  let next = most;
  for (const i of order.reverse()) {
    places[i] = Math.min(places[i]!, next);
    next = places[i] - apart;
  }
  return places;
}
