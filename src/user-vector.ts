/** A reader as a vector, or several vectors, of one embedding space; scores take the best. */
export interface UserVector {
  readonly space: string;
  /** One vector of the space's dimensions, or several laid end to end; finite. */
  readonly values: ArrayLike<number>;
}
