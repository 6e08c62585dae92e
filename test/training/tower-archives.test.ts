import { inspectArchive } from '../../src/archives/inspect-archive';
import { trainSmall } from './trained-towers';

test('the files of both towers pass the inspection of archives', async () => {
  const { itemTower, userTower } = await trainSmall({ epochs: 1, refit: false });
  for (const [file, bytes] of Object.entries({ itemTower, userTower })) {
    await expect(inspectArchive(bytes, { argument: file, file })).resolves.not.toThrow();
  }
}, 60_000);
