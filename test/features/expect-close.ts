import type { AssembledFeatures, FeatureDefinition } from '../../src';

/** Equal to 1e-6: relative, or of a standard deviation for features that are counted in those. */
export function expectClose(
  found: AssembledFeatures,
  expected: readonly (readonly number[])[],
  definitions: readonly FeatureDefinition[],
): void {
  const wrong: string[] = [];
  expected.forEach((row, i) =>
    row.forEach((value, f) => {
      const { name, reference } = definitions[f]!;
      const bound =
        reference === 'pool' || reference === 'list'
          ? 1e-6 * Math.max(1, Math.abs(value))
          : 1e-6 * Math.abs(value) + 1e-12;
      const got = found.values[i * definitions.length + f]!;
      if (!(Math.abs(got - value) <= bound)) wrong.push(`${name}[${i}]: ${got}, not ${value}`);
    }),
  );
  expect(wrong).toEqual([]);
}
