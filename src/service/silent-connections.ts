import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Keeps hold of the connections of a server on which nothing has come in: Node's server waits for
 * them when it closes, as if an answer were due, until a timeout or for ever. Returns what ends them.
 */
export function watchSilentConnections(server: Server): () => void {
  const silent = new Set<Socket>();
  server.on('connection', (socket) => {
    silent.add(socket);
    socket.once('close', () => silent.delete(socket));
  });
  server.on('request', ({ socket }) => silent.delete(socket));
  return () => {
    for (const socket of silent) {
      if (socket.bytesRead === 0) socket.destroy();
    }
  };
}
