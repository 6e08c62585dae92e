import fc from 'fast-check';
import { placeLabels, spreadApart, type LabelPlace } from '../../src/tradeoffs/page/label-places';

const bounds = { left: 0, right: 500, top: 0, bottom: 350 };
const place = fc.integer({ min: 10, max: 340 });
const points = fc.array(
  fc.record({
    x: place,
    y: place,
    width: fc.integer({ min: 20, max: 150 }),
    reach: fc.constantFrom(0, 46, 170),
  }),
  { maxLength: 25 },
);

test('labels lie within the drawing, on no point, and not on one another', () => {
  fc.assert(
    fc.property(points, (wanted) => {
      const labels = placeLabels(wanted, bounds, { lines: [], whiskers: [] });
      expect(labels).toHaveLength(wanted.length);
      const boxes = labels.flatMap((label: LabelPlace | undefined, i) => {
        if (label === undefined) return [];
        const left = label.anchor === 'start' ? label.x : label.x - wanted[i]!.width;
        return [{ left, right: left + wanted[i]!.width, top: label.y - 6, bottom: label.y + 6 }];
      });
      for (const [i, box] of boxes.entries()) {
        expect(box.left).toBeGreaterThanOrEqual(bounds.left);
        expect(box.right).toBeLessThanOrEqual(bounds.right);
        for (const { x, y } of wanted) {
          const inside = x > box.left && x < box.right && y > box.top && y < box.bottom;
          expect(inside).toBe(false);
        }
        for (const other of boxes.slice(i + 1)) {
          const apart =
            box.right <= other.left ||
            other.right <= box.left ||
            box.bottom <= other.top ||
            other.bottom <= box.top;
          expect(apart).toBe(true);
        }
      }
    }),
  );
});

test('a label that has room stands beside its point, and one that has none is left out', () => {
  const point = { x: 100, y: 100, width: 60, reach: 170 };
  const none = { lines: [], whiskers: [] };
  expect(placeLabels([point], bounds, none)).toEqual([
    { x: 108, y: 100, anchor: 'start', far: false },
  ]);
  const right = [{ left: 104, right: 200, top: 80, bottom: 120 }];
  expect(placeLabels([point], bounds, { lines: [], whiskers: right })).toEqual([
    { x: 92, y: 100, anchor: 'end', far: false },
  ]);
  const everywhere = [{ left: 0, right: 500, top: 0, bottom: 350 }];
  expect(placeLabels([point], bounds, { lines: everywhere, whiskers: [] })).toEqual([undefined]);
});

test('texts one under another keep their distance and their order', () => {
  expect(spreadApart([10, 12, 100], 14, 200)).toEqual([10, 24, 100]);
  expect(spreadApart([100, 98, 97], 14, 100)).toEqual([100, 86, 72]);
  expect(spreadApart([], 14, 100)).toEqual([]);
});
