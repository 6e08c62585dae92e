import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

/**
 * Reads a file once, from one handle, and only if it is a plain file of at most `mostBytes`: a pipe
 * would never end. Rejects with what the system says, or with an Error that says what is wrong.
 * @internal
 */
export async function readPlainFile(path: string, mostBytes: number): Promise<Buffer> {
  // Without O_NONBLOCK, opening a pipe waits for its other end.
  const handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) throw new Error('it is not a file');
    if (stat.size > mostBytes) {
      throw new Error(`it has ${stat.size} bytes; at most ${mostBytes} are expected`);
    }
    const bytes = Buffer.alloc(stat.size);
    for (let at = 0; at < bytes.length;) {
      const { bytesRead } = await handle.read(bytes, at, bytes.length - at, at);
      if (bytesRead === 0) throw new Error('it became shorter while it was read');
      at += bytesRead;
    }
    return bytes;
  } finally {
    await handle.close();
  }
}
