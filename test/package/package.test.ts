import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { temporaryFolder } from '../support/temporary-folder';

const root = path.resolve(__dirname, '../..');
let consumer: string;

function run(command: string, args: string[], cwd: string): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: '', npm_config_loglevel: 'error' },
  });
  if (status !== 0) {
    throw new Error(
      `${command} ${args.join(' ')}: ${status ?? String(error)}\n${stdout}\n${stderr}`,
    );
  }
  return stdout.trim();
}

/**
 * Packs what would be published, with the addon that was built last laid where prebuildify lays it,
 * and installs it into a project of its own, as a user would, without running install scripts.
 */
beforeAll(() => {
  const staged = path.join(temporaryFolder(), 'feedrank');
  fs.mkdirSync(staged);
  for (const name of fs.readdirSync(root)) {
    if (['node_modules', 'build', 'prebuilds', 'release', 'test', '.git', '.ci'].includes(name))
      continue;
    fs.cpSync(path.join(root, name), path.join(staged, name), { recursive: true });
  }
  const prebuilds = path.join(staged, 'prebuilds/linux-x64');
  fs.mkdirSync(prebuilds, { recursive: true });
  const built = path.join(root, 'build/Release');
  fs.copyFileSync(path.join(built, 'feedrank.node'), path.join(prebuilds, 'feedrank.glibc.node'));
  fs.copyFileSync(
    path.join(built, 'feedrank_native.so'),
    path.join(prebuilds, 'feedrank_native.so'),
  );
  run('npm', ['pack', '--ignore-scripts'], staged);
  const tarball = fs.readdirSync(staged).find((name) => name.endsWith('.tgz'))!;

  consumer = path.join(temporaryFolder(), 'consumer');
  fs.mkdirSync(consumer);
  fs.writeFileSync(
    path.join(consumer, 'package.json'),
    JSON.stringify({ name: 'consumer', version: '1.0.0', private: true }),
  );
  const quiet = ['--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund'];
  run('npm', ['install', ...quiet, path.join(staged, tarball)], consumer);
});

/** A whole use of the package, in a form that both module systems take. */
const use = `
async function use({ Catalog, Feed, FeedrankError, fresh, weightedSum }) {
  const catalog = await Catalog.create({ ids: 'string', spaces: { taste: { dimensions: 2 } } });
  await catalog.upsert([
    { id: 'a', publishTime: 1000, embeddings: { taste: [1, 0] } },
    { id: 'b', publishTime: 2000, embeddings: { taste: [0, 1] } },
  ]);
  const feed = await Feed.create({ catalog, generators: [fresh()], ranker: weightedSum({ age: -1 }) });
  const slate = await feed.rank({ now: 3600000, budgetMs: 60000 });
  const error = await catalog.retrieve({}).catch((found) => found);
  return [slate.items.map((item) => item.id).join(), error instanceof FeedrankError, error.code].join(' ');
}
`;

test('the installed package holds what it needs to run and none of our tests or tools', () => {
  const installed = path.join(consumer, 'node_modules/feedrank');
  const names = fs.readdirSync(installed, { recursive: true, encoding: 'utf8' });
  for (const name of ['dist/index.js', 'dist/index.d.ts', 'dist/esm.mjs', 'lib/load-addon.js']) {
    expect(names).toContain(name);
  }
  expect(
    names.filter((name) => /^(test|bench|src|build|binding\.gyp|lib\/setup\.js)/.test(name)),
  ).toEqual([]);
});

test('it works when it is required from CommonJS', () => {
  fs.writeFileSync(
    path.join(consumer, 'main.cjs'),
    `${use}\nuse(require('feedrank')).then(console.log);`,
  );
  expect(run('node', ['main.cjs'], consumer)).toBe('b,a true UNKNOWN_SPACE');
});

test('it works when it is imported as a module, and both are one copy', () => {
  fs.writeFileSync(
    path.join(consumer, 'main.mjs'),
    `import * as feedrank from 'feedrank';
     import { createRequire } from 'node:module';
     ${use}
     const same = createRequire(import.meta.url)('feedrank').Catalog === feedrank.Catalog;
     console.log(await use(feedrank), same);`,
  );
  expect(run('node', ['main.mjs'], consumer)).toBe('b,a true UNKNOWN_SPACE true');
});

test('a strict TypeScript consumer compiles with its types, as a module and as CommonJS, and runs', () => {
  const source = fs.readFileSync(path.join(root, 'test/fixtures/consumer.txt'), 'utf8');
  const files = ['consumer.mts', 'consumer.cts'];
  for (const name of files) fs.writeFileSync(path.join(consumer, name), source);
  const compilerOptions = {
    target: 'es2022',
    lib: ['es2023', 'esnext.disposable'],
    module: 'node16',
    moduleResolution: 'node16',
    strict: true,
    noUncheckedIndexedAccess: true,
    exactOptionalPropertyTypes: true,
    // Our own types are checked, too.
    skipLibCheck: false,
    types: ['node'],
    typeRoots: [path.join(root, 'node_modules/@types')],
  };
  const config = JSON.stringify({ compilerOptions, files });
  fs.writeFileSync(path.join(consumer, 'tsconfig.json'), config);
  run('node', [path.join(root, 'node_modules/typescript/bin/tsc'), '-p', '.'], consumer);
  for (const name of files) {
    expect(run('node', [name.replace('ts', 'js')], consumer)).toBe('1 newest');
  }
});

test('the parts for services work where the package is installed, as a module and as CommonJS, typed', () => {
  const source = fs.readFileSync(path.join(root, 'test/fixtures/consumer-service.txt'), 'utf8');
  const files = ['service.mts', 'service.cts'];
  for (const name of files) fs.writeFileSync(path.join(consumer, name), source);
  const compilerOptions = {
    target: 'es2022',
    lib: ['es2023', 'esnext.disposable'],
    module: 'node16',
    moduleResolution: 'node16',
    strict: true,
    exactOptionalPropertyTypes: true,
    esModuleInterop: true,
    skipLibCheck: true,
    types: ['node'],
    typeRoots: [path.join(root, 'node_modules/@types')],
  };
  const config = JSON.stringify({ compilerOptions, files });
  fs.writeFileSync(path.join(consumer, 'tsconfig.json'), config);
  run('node', [path.join(root, 'node_modules/typescript/bin/tsc'), '-p', '.'], consumer);
  for (const name of files) {
    expect(run('node', [name.replace('ts', 'js')], consumer)).toBe('INVALID_ARGUMENT 1');
  }
});

test('its commands work there as well, those that serve and diagnose among them', () => {
  const command = path.join(consumer, 'node_modules/.bin/feedrank');
  const report = JSON.parse(run(command, ['doctor', '--json'], consumer)) as { healthy: boolean };
  expect(report.healthy).toBe(true);
  fs.writeFileSync(path.join(consumer, 'items.jsonl'), '{"id":"a","publishTime":1000}\n');
  const served = run(
    'sh',
    [
      '-c',
      // Ends by itself: a signal as soon as it says where it listens.
      '"$0" serve --items items.jsonl > served & while ! grep -q listening served; do sleep 0.1; done; kill -TERM $!; wait $!; echo $?; cat served',
      command,
    ],
    consumer,
  );
  expect(served).toMatch(/^0\n\{"listening":"http:\/\/127\.0\.0\.1:\d+"\}$/);
});
