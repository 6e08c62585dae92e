/** A catalog fixes one kind: strings of 1 to 1,024 characters, or safe integers. */
export type ItemId = string | number;

/** Readers are named as items are; both kinds may be used side by side. */
export type UserId = string | number;
