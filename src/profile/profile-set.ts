import { binding } from '../binding';
import { describeValue, FeedrankError, invalidArgument } from '../errors';
import { processDefaults, type ProcessDefaults } from '../process-defaults';
import { checkObject } from '../validation';
import { firstSchemaError } from '../schema-error';
import type * as ProfileSchema from './rank-profile';
import type { RankProfile } from './rank-profile';
import { isRankProfile } from './rank-profile-check';
import { defaultRetrievalEffort, tauOfHalfLife, type RankSettings } from './rank-settings';

const defaults: Omit<RankSettings, keyof ProcessDefaults> = {
  profile: 'default',
  tauMs: tauOfHalfLife(24 * 3_600_000),
  negativeDots: 'decay',
  retrieval: 'exact',
  retrievalEffort: defaultRetrievalEffort,
  maxCandidates: 500,
  quotas: {},
  maxAgeMs: Infinity,
  maxReports: Infinity,
  maxReportRate: Infinity,
  maxHideRate: Infinity,
  seenAfterImpressions: 0,
  limit: 50,
  perAuthor: 0,
  perTopic: 0,
  authorSpacing: 0,
  topicSpacing: 0,
  diversity: 0.3,
  exposure: [],
  headWeights: {},
  maxAnswerAgeMs: 0,
  stageBudgetMs: Infinity,
};

/**
 * Checks a profile against its schema and returns a copy. Throws `INVALID_ARGUMENT` naming the
 * setting.
 * @internal
 */
export function checkProfile(value: unknown, argument: string): RankProfile {
  if (!isRankProfile(value)) {
    const error = firstSchemaError(profileSchema(), value);
    const where = `${argument}${(error?.path ?? '').replaceAll('/', '.')}`;
    throw new FeedrankError(
      'INVALID_ARGUMENT',
      `${where}: ${error?.message ?? 'expected a RankProfile'}, got ${describeValue(error?.value)}`,
      where,
    );
  }
  // A setting that is there but undefined is a setting that is not there.
  const given = Object.entries(value).filter(([, setting]) => setting !== undefined);
  return structuredClone(Object.fromEntries(given));
}

function profileSchema(): typeof ProfileSchema.rankProfileSchema {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- As firstSchemaError says.
  return (require('./rank-profile') as typeof ProfileSchema).rankProfileSchema;
}

/**
 * The profiles of a feed by name. One may start from another's settings; what none of them sets has
 * a default.
 * @internal
 */
export class ProfileSet {
  readonly #profiles: Map<string, RankProfile>;
  readonly #settings = new Map<string, RankSettings>();
  #process = processDefaults();
  readonly #default: string;
  readonly #check: (settings: RankSettings) => void;

  private constructor(
    profiles: ReadonlyMap<string, RankProfile>,
    defaultProfile: string,
    check: (settings: RankSettings) => void,
  ) {
    this.#profiles = new Map(profiles);
    this.#default = defaultProfile;
    this.#check = check;
  }

  /** `check` throws where settings do not fit the feed. */
  static of(
    profiles: readonly RankProfile[],
    defaultProfile: RankProfile,
    check: (settings: RankSettings) => void,
  ): ProfileSet {
    if (!Array.isArray(profiles)) {
      throw invalidArgument('profiles', 'an array of profiles', profiles);
    }
    const { name = 'default' } = checkObject(defaultProfile, 'profile') as RankProfile;
    const set = new ProfileSet(new Map(), name, check);
    profiles.forEach((profile: RankProfile, i) => set.#add(profile, `profiles[${i}]`));
    const names = [...profiles.map((profile: RankProfile) => profile.name), name];
    if (new Set(names).size !== names.length) {
      throw invalidArgument('profiles', 'a name of its own for each profile', names.join(', '));
    }
    set.#add({ ...defaultProfile, name }, 'profile');
    set.#checkAll();
    return set;
  }

  /**
   * A set of the same profiles, with one added or replaced where it is given, for a feed that has
   * changed: throws where `check` does for any of them, or as {@link ProfileSet.set}.
   */
  movedTo(check: (settings: RankSettings) => void, profile: RankProfile | undefined): ProfileSet {
    const set = new ProfileSet(this.#profiles, this.#default, check);
    if (profile === undefined) set.#checkAll();
    else set.set(profile);
    return set;
  }

  /** Adds a profile or replaces the one of its name; requests that run keep what they had. */
  set(profile: RankProfile): void {
    checkObject(profile, 'profile');
    const before = this.#profiles.get(profile.name ?? this.#default);
    const name = this.#add({ name: this.#default, ...profile }, 'profile');
    this.#settings.clear();
    try {
      this.#checkAll();
    } catch (error) {
      if (before === undefined) this.#profiles.delete(name);
      else this.#profiles.set(name, before);
      this.#settings.clear();
      throw error;
    }
  }

  /** The settings of a named profile, or of one given on the spot on top of the default profile. */
  settings(profile: string | RankProfile | undefined): RankSettings {
    if (this.#process.version !== binding().defaultsVersion()) {
      this.#process = processDefaults();
      this.#settings.clear();
    }
    if (typeof profile === 'object') {
      const checked = checkProfile(profile, 'query.profile');
      return { ...this.#resolve(checked, []), profile: checked.name ?? '(request)' };
    }
    const name = profile ?? this.#default;
    let settings = this.#settings.get(name);
    if (settings === undefined) {
      settings = this.#resolve(this.#named(name, 'query.profile'), [name]);
      this.#settings.set(name, settings);
    }
    return settings;
  }

  #checkAll(): void {
    for (const known of this.#profiles.keys()) this.#check(this.settings(known));
  }

  #add(profile: RankProfile, argument: string): string {
    const checked = checkProfile(profile, argument);
    if (checked.name === undefined) {
      throw new FeedrankError(
        'INVALID_ARGUMENT',
        `${argument}.name: expected a name, got undefined`,
        `${argument}.name`,
      );
    }
    this.#profiles.set(checked.name, checked);
    return checked.name;
  }

  #named(name: unknown, argument: string): RankProfile {
    const found = this.#profiles.get(name as string);
    if (found !== undefined) return found;
    throw new FeedrankError(
      'UNKNOWN_PROFILE',
      `${argument}: no profile ${describeValue(name)}; the feed has: ${[...this.#profiles.keys()].join(', ')}`,
      argument,
    );
  }

  #resolve(profile: RankProfile, chain: readonly string[]): RankSettings {
    const { extends: base, name, ...own } = profile;
    const { budgetMs, budgetPercentile } = this.#process;
    let start: RankSettings = { ...defaults, budgetMs, budgetPercentile };
    if (base !== undefined) {
      if (chain.includes(base)) {
        throw new FeedrankError(
          'INVALID_ARGUMENT',
          `profile.extends: expected no circle, got ${[...chain, base].join(' → ')}`,
          'profile.extends',
        );
      }
      start = this.#resolve(this.#named(base, 'profile.extends'), [...chain, base]);
    } else if (chain.length === 0) {
      start = this.settings(undefined);
    }
    return {
      ...start,
      ...own,
      quotas: { ...start.quotas, ...own.quotas },
      headWeights: { ...start.headWeights, ...own.headWeights },
      profile: name ?? start.profile,
    };
  }
}
