import { SingleBar } from 'cli-progress';

/** Shows how far a piece of work has come. */
export interface Progress {
  update(done: number, total: number): void;
  stop(): void;
}

/** A bar on standard error where that is a terminal, and nothing otherwise. */
export function startProgress(what: string): Progress {
  if (!process.stderr.isTTY) return { update: () => undefined, stop: () => undefined };
  const bar = new SingleBar({
    stream: process.stderr,
    format: `${what} {bar} {percentage}% of {total}, {eta_formatted} left`,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    clearOnComplete: true,
    hideCursor: true,
    fps: 5,
  });
  let isStarted = false;
  return {
    update(done, total) {
      if (!isStarted) bar.start(total, 0);
      isStarted = true;
      bar.update(done);
    },
    stop() {
      if (isStarted) bar.stop();
    },
  };
}
