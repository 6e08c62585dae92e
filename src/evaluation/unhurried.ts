/** A budget that is long enough that no stage is ever skipped for want of time. */
export const unhurriedBudgetMs = 600_000;
