/**
 * Runs an action while no other process runs one under the same folder name.
 *
 * @param dir the folder whose existence is the lock
 */
export declare function withDirectoryLock<T>(
  dir: string,
  action: () => Promise<T>,
  options?: {
    /** Called once, when another process holds the lock. */
    onWait?: () => void;
  },
): Promise<T>;
