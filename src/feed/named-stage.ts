import type { NativeEngagement } from '../binding';
import type { Catalog } from '../catalog/catalog';
import type { Towers } from '../models/towers';
import type { NativeStage, StageOf } from '../stages/native-stages';
import type { EngagementShape } from './engagement-options';
import type { Segmentation } from './segmentation';
import type { ServedBundle } from './served-bundle';

/** One of a feed's `bundles`, which profiles name. @internal */
export interface SmallerBundle extends ServedBundle {
  readonly name: string;
}

/** What a plan is made for. @internal */
export interface PlanTarget {
  readonly catalog: Catalog;
  readonly engagement: NativeEngagement;
  readonly shape: EngagementShape;
  readonly segmentation: Segmentation;
  readonly device: string;
  readonly towers: Towers | undefined;
  readonly smaller: readonly SmallerBundle[];
}

/** A stage of any kind, native or the user's own. @internal */
export interface NamedStage {
  readonly name: string;
  readonly failClosed?: boolean;
  readonly native?: NativeStage['native'];
}

/** What makes it native, where it is. @internal */
export function nativeOf<S extends NativeStage['native']['stage']>(
  stage: NamedStage,
  kind: S,
): StageOf<S>['native'] | undefined {
  return stage.native?.stage === kind ? (stage.native as StageOf<S>['native']) : undefined;
}
