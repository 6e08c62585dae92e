import type { NativeAnswer, NativeBatch, NativeExternalResult } from '../binding';
import { describeValue, FeedrankError, invalidArgument } from '../errors';
import type { CandidateBatch } from '../stages/candidate-batch';
import type {
  CandidateGenerator,
  FeatureEnricher,
  GeneratedCandidates,
  RankedCandidates,
  StageContext,
} from '../stages/stage';
import { checkItemIds, copyVector } from '../validation';
import { decodeBatch } from './decode-batch';
import type { Plan } from './plan';

/** What a stage of the user's answered, or why it did not take part. */
interface Outcome<T> {
  readonly value?: T;
  readonly skipped?: string;
  readonly ms: number;
}

/** A longer timer would fire at once. */
const longestTimerMs = 2 ** 31 - 1;

type StageCall<T> = (context: StageContext) => T | Promise<T>;

/**
 * Runs the user's own stages of one request: gives each its deadline and its signal, checks what it
 * answers, and turns a failure into a skip, unless the stage fails closed.
 * @internal
 */
export class StageRunner {
  readonly #plan: Plan;
  readonly #context: Omit<StageContext, 'signal'>;
  readonly #caller: AbortSignal | undefined;
  readonly #deadline: number;
  readonly #ids: 'string' | 'integer';
  #generated: Promise<NativeExternalResult> | undefined;

  constructor(
    plan: Plan,
    context: Omit<StageContext, 'signal'>,
    ids: 'string' | 'integer',
    start: number,
    caller: AbortSignal | undefined,
  ) {
    this.#plan = plan;
    this.#context = context;
    this.#ids = ids;
    this.#caller = caller;
    this.#deadline = start + context.settings.budgetMs;
  }

  /** Starts the user's generators, so that they run beside the native ones. */
  startGenerators(): void {
    const own = this.#plan.generators.flatMap((stage, generator) =>
      stage === undefined ? [] : [this.#generate(stage, generator)],
    );
    if (own.length === 0) return;
    this.#generated = Promise.all(own).then((sources) => ({ kind: 'generated', sources }));
    // A request may end before it asks for them; it must not leave an unhandled rejection behind.
    this.#generated.catch(() => undefined);
  }

  /** Answers the stage that the native part of the request waits for. */
  async answer(waiting: NativeAnswer): Promise<NativeExternalResult> {
    const batch = this.#batch(waiting.batch);
    switch (waiting.waitsFor) {
      case 'generators':
        return this.#generated!;
      case 'filter':
        return this.#filter(waiting.index!, batch);
      case 'enrichers':
        return this.#enrich(batch);
      case 'ranker':
        return this.#rank(batch);
      case 'selector':
        return this.#select(batch);
      case undefined:
      default:
        throw new FeedrankError('INTERNAL', 'the native request neither waits nor answers');
    }
  }

  #batch(native: NativeBatch | undefined): CandidateBatch {
    return decodeBatch(native, this.#plan);
  }

  async #generate(stage: CandidateGenerator, generator: number) {
    const outcome = await this.#call(
      stage,
      (context) => stage.generate(context),
      (value) => {
        const generated = object<GeneratedCandidates>(value);
        const ids = checkItemIds(generated.ids, this.#ids, 'ids');
        const scores =
          generated.scores === undefined
            ? Float64Array.from(ids, (_, i) => ids.length - i)
            : finiteNumbers(generated.scores, ids.length, 'scores');
        return { ids, scores };
      },
    );
    const { ids, scores } = outcome.value ?? { ids: [], scores: new Float64Array(0) };
    return { generator, ids, scores, ...reason(outcome) };
  }

  async #filter(index: number, batch: CandidateBatch): Promise<NativeExternalResult> {
    const stage = this.#plan.filters[index]!;
    const outcome = await this.#call(
      stage,
      (context) => stage.filter(batch, context),
      (value) => {
        const kept = value as ArrayLike<unknown>;
        if (kept?.length !== batch.size) {
          throw invalidArgument('filter', `one entry for each of ${batch.size} candidates`, value);
        }
        return Uint8Array.from(kept, (entry, i) => {
          if (entry === true || entry === 1) return 1;
          if (entry === false || entry === 0) return 0;
          throw invalidArgument(`filter[${i}]`, 'true, false, 1 or 0', entry);
        });
      },
    );
    return { kind: 'kept', keep: outcome.value ?? new Uint8Array(0), ...reason(outcome) };
  }

  async #enrich(batch: CandidateBatch): Promise<NativeExternalResult> {
    const one = async (stage: FeatureEnricher) => {
      const expected = batch.size * stage.features.length;
      const outcome = await this.#call(
        stage,
        (context) => stage.enrich(batch, context),
        (value) => {
          const values = copyVector(value, 'features');
          if (values.length === expected) return values;
          throw invalidArgument('features', `${expected} values`, value);
        },
      );
      return { values: outcome.value ?? new Float32Array(0), ...reason(outcome) };
    };
    return { kind: 'enriched', sources: await Promise.all(this.#plan.enrichers.map(one)) };
  }

  async #rank(batch: CandidateBatch): Promise<NativeExternalResult> {
    const stage = this.#plan.ranker!;
    const outcome = await this.#call(
      stage,
      (context) => stage.rank(batch, context),
      (value) => {
        const ranked = object<RankedCandidates>(value);
        const scores = finiteNumbers(ranked.scores, batch.size, 'scores');
        const columns = Object.entries(ranked.terms ?? { score: scores }).map(
          ([name, column]) => [name, finiteNumbers(column, batch.size, `terms.${name}`)] as const,
        );
        const terms = new Float64Array(batch.size * columns.length);
        columns.forEach(([, column], t) =>
          column.forEach((element, i) => (terms[i * columns.length + t] = element)),
        );
        return { scores, termNames: columns.map(([name]) => name), terms };
      },
    );
    const empty = { scores: new Float64Array(0), termNames: [], terms: new Float64Array(0) };
    return { kind: 'ranked', ...(outcome.value ?? empty), ...reason(outcome) };
  }

  async #select(batch: CandidateBatch): Promise<NativeExternalResult> {
    const stage = this.#plan.selector!;
    const outcome = await this.#call(
      stage,
      (context) => stage.select(batch, context),
      (value) => {
        const taken = new Set<number>();
        for (const position of Array.from(value as ArrayLike<unknown>)) {
          const valid = Number.isInteger(position) && (position as number) >= 0;
          if (!valid || (position as number) >= batch.size || taken.has(position as number)) {
            throw invalidArgument('select', `distinct positions below ${batch.size}`, position);
          }
          taken.add(position as number);
        }
        return Uint32Array.from(taken);
      },
    );
    return { kind: 'selected', positions: outcome.value ?? new Uint32Array(0), ...reason(outcome) };
  }

  async #call<T, V>(
    stage: { readonly name: string; readonly failClosed?: boolean },
    call: StageCall<V>,
    check: (value: V) => T,
  ): Promise<Outcome<T>> {
    const start = performance.now();
    const spent = () => performance.now() - start;
    const left = Math.min(this.#deadline - start, this.#context.settings.stageBudgetMs);
    const abort = new AbortController();
    const giveUp = () => abort.abort(this.#caller?.reason);
    this.#caller?.addEventListener('abort', giveUp, { once: true });
    let timer: NodeJS.Timeout | undefined;
    try {
      if (left <= 0) throw new Deadline('budget');
      const work = Promise.resolve(call({ ...this.#context, signal: abort.signal }));
      const value = await Promise.race([
        work,
        new Promise<never>((_, reject) => {
          abort.signal.addEventListener('abort', () => reject(new Deadline('aborted')));
          if (left === Infinity) return;
          timer = setTimeout(
            () => {
              reject(new Deadline('deadline'));
              abort.abort(new Deadline('deadline'));
            },
            Math.min(left, longestTimerMs),
          );
        }),
      ]);
      return { value: check(value), ms: spent() };
    } catch (error) {
      if (stage.failClosed === true) throw stageFailed(stage.name, error);
      const skipped =
        error instanceof Deadline ? error.message : stageFailed(stage.name, error).message;
      return { skipped, ms: spent() };
    } finally {
      clearTimeout(timer);
      this.#caller?.removeEventListener('abort', giveUp);
    }
  }
}

/** Why a stage was not waited for: part of the control flow, never seen by a user as an error. */
class Deadline extends Error {}

function stageFailed(name: string, error: unknown): FeedrankError {
  const why = error instanceof Error ? error.message : describeValue(error);
  return new FeedrankError('STAGE_FAILED', `stage '${name}' failed: ${why}`, name, {
    cause: error,
  });
}

function reason(outcome: Outcome<unknown>): { ms: number; skipped?: string } {
  const { ms, skipped } = outcome;
  return skipped === undefined ? { ms } : { ms, skipped };
}

function object<T>(value: unknown): T {
  if (typeof value === 'object' && value !== null) return value as T;
  throw invalidArgument('answer', 'an object', value);
}

function finiteNumbers(value: unknown, length: number, argument: string): Float64Array {
  const numbers = value as ArrayLike<unknown>;
  if (numbers?.length !== length) {
    throw invalidArgument(argument, `one number for each of ${length} candidates`, value);
  }
  return Float64Array.from(numbers, (element, i) => {
    if (Number.isFinite(element)) return element as number;
    throw invalidArgument(`${argument}[${i}]`, 'a finite number', element);
  });
}
