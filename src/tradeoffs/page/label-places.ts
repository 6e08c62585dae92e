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
  /** How far from the point a label may lie, at the end of a line that says what it belongs to. */
  readonly reach: number;
}

/** Where a label's text begins, or ends where it lies to the left of its point. */
export interface LabelPlace {
  readonly x: number;
  /** The middle of its height. */
  readonly y: number;
  readonly anchor: 'start' | 'end';
  /** Whether a line must say what it belongs to. */
  readonly far: boolean;
}

/** What labels keep off: `lines` always, `whiskers` where there is room beside them. */
export interface Taken {
  readonly lines: readonly Box[];
  readonly whiskers: readonly Box[];
}

const height = 12;
const near = 8;
/** Between a label and the end of its line. */
const gap = 2;

/**
 * Finds room for labels: each as near its point as it gets without lying on another label, on its
 * line or on a point, the first ones first. `undefined` where there is none.
 */
export function placeLabels(
  points: readonly Labelled[],
  bounds: Box,
  { lines, whiskers }: Taken,
): (LabelPlace | undefined)[] {
  const full = [...lines, ...points.map(({ x, y }) => around(x, y, 4))];
  const labels: Box[] = [];
  return points.map((point) => {
    const free = (place: LabelPlace, others: readonly Box[]): boolean => {
      const box = boxOf(place, point.width);
      if (!within(box, bounds) || meets([box], [...full, ...labels, ...others])) return false;
      return !place.far || !meets(leaderBoxes(point, place), labels);
    };
    // Without a line that says so, a label must lie nearer its own point than another.
    const others = points
      .filter((other) => other !== point)
      .map(({ x, y }) => around(x, y, near + 4));
    const place =
      beside(point).find((each) => free(each, [...whiskers, ...others])) ??
      onRings(point, Math.min(40, point.reach)).find((each) => free(each, whiskers)) ??
      beside(point).find((each) => free(each, others)) ??
      onRings(point, point.reach).find((each) => free(each, []));
    if (place !== undefined) {
      labels.push(boxOf(place, point.width));
      if (place.far) full.push(...leaderBoxes(point, place));
    }
    return place;
  });
}

function beside({ x, y }: Labelled): LabelPlace[] {
  const heights = [0, -9, 9].map((shift) => y + shift);
  return heights.flatMap((at): LabelPlace[] => [
    { x: x + near, y: at, anchor: 'start', far: false },
    { x: x - near, y: at, anchor: 'end', far: false },
  ]);
}

/** Places on rings, but for those straight above and below, where whiskers lie. */
function onRings({ x, y }: Labelled, reach: number): LabelPlace[] {
  const places: LabelPlace[] = [];
  for (let radius = 18; radius <= reach; radius += 6) {
    for (let turn = 0; turn < 16; turn += 1) {
      const angle = (turn * Math.PI) / 8;
      const across = Math.cos(angle);
      if (Math.abs(across) < 0.3) continue;
      const anchor = across > 0 ? 'start' : 'end';
      places.push({
        ...{ x: x + across * radius, y: y - Math.sin(angle) * radius },
        ...{ anchor, far: true },
      });
    }
  }
  return places;
}

/** Where the line to a label ends. */
export function leaderEnd({ x, y, anchor }: LabelPlace): readonly [number, number] {
  return [anchor === 'start' ? x - gap : x + gap, y];
}

function leaderBoxes(point: Labelled, place: LabelPlace): Box[] {
  return lineBoxes([[point.x, point.y], leaderEnd(place)], 1);
}

/** Small boxes along a line. */
export function lineBoxes(points: readonly (readonly [number, number])[], radius: number): Box[] {
  return points.slice(1).flatMap(([x2, y2], i) => {
    const [x1, y1] = points[i]!;
    const steps = Math.max(1, Math.ceil(Math.hypot(x2 - x1, y2 - y1) / 4));
    return Array.from({ length: steps }, (_, s) =>
      around(x1 + ((x2 - x1) * s) / steps, y1 + ((y2 - y1) * s) / steps, radius),
    );
  });
}

function boxOf({ x, y, anchor }: LabelPlace, width: number): Box {
  const left = anchor === 'start' ? x : x - width;
  return { left, right: left + width, top: y - height / 2, bottom: y + height / 2 };
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

function meets(boxes: readonly Box[], others: readonly Box[]): boolean {
  return boxes.some((a) =>
    others.some(
      (b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom,
    ),
  );
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
